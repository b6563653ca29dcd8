"""Values of ngp.yaml and environment.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ngp.workspace import Workspace

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"  # of platforms, environments and units
NAME_LENGTH = 31


class Target(Enum):
    AWS = "aws"
    SANDBOX = "sandbox"


class StateMode(Enum):
    PER_MODULE = "per-module"
    SINGLE = "single"


class BundleKeeping(Enum):
    """Where bundles are stored: as files only, or also in the state bucket."""

    FILES = "files"
    STATE = "state"


class StateKind(Enum):
    S3 = "s3"
    LOCAL = "local"


@dataclass(frozen=True)
class Approval:
    """Who may approve bundles for an environment, and how many of them must.

    `maker` and `authors` say whether the approvals of the bundle's maker and of its commits' authors count.
    """

    by: tuple[str, ...]  # e-mail addresses
    count: int = 1
    maker: bool = False
    authors: bool = False


@dataclass(frozen=True)
class Platform:
    """ngp.yaml. `path` is the platform's folder.

    `terraform` is "" (PATH decides), "terraform", "tofu", "bundled" or a path. `signers` are public keys by e-mail
    address, `approvals` and `emergency` are by environment.
    """

    path: Path
    name: str
    terraform: str = ""
    terraform_version: str = ">= 1.11.0, < 2.0.0"
    state: StateKind = StateKind.S3
    state_bucket: str = ""  # "" derives it from platform, account and region
    protected: tuple[str, ...] = ()
    signers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    emergency: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # who may apply without a bundle
    bundles: BundleKeeping = BundleKeeping.FILES
    rendered_by: str = ""

    def environment_path(self, name: str) -> Path:
        return self.path / "environments" / name

    @property
    def workspace(self) -> Workspace:
        """The ignored folder for runs, caches and logs."""
        return Workspace.of(self.path)

    @property
    def cache(self) -> Path:
        """Where what the platform's files say is kept (`ngp.cache`)."""
        return self.workspace.facts


@dataclass(frozen=True)
class UnitChoice:
    """One entry of `units`: the module it uses (its own name unless it says another), and its tags for selections."""

    name: str
    module: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutputRef:
    """One end of a wire: ``network.vpc_id``."""

    unit: str
    output: str

    def __str__(self) -> str:
        return f"{self.unit}.{self.output}"


@dataclass(frozen=True)
class AssumedRole:
    arn: str
    external_id: str = ""
    session_name: str = "ngp"


@dataclass(frozen=True)
class DeclaredDifference:
    """A difference from other environments that somebody answers for, up to and with a day (``2027-03-31``)."""

    owner: str
    until: str
    reason: str = ""


@dataclass(frozen=True)
class Environment:
    """environment.yaml. `lines` holds the line of each key path (``units.openvpn``) for error messages."""

    name: str
    path: Path  # environments/NAME
    target: Target
    account: str
    region: str
    domain: str
    units: Mapping[str, UnitChoice]
    profile: str = ""
    assume_role: AssumedRole | None = None
    state: StateMode = StateMode.PER_MODULE
    catalogue: str = ""  # a Git ref; "" is the working tree
    wiring: Mapping[str, Mapping[str, OutputRef]] = field(default_factory=dict)
    differences: Mapping[str, DeclaredDifference] = field(default_factory=dict)  # by key: values.openvpn.disk_gib
    lines: Mapping[str, int] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """``file:line`` of a dotted key of environment.yaml, or of the nearest one above it that is known."""
        path = self.path / "environment.yaml"
        while key and key not in self.lines:
            key = key.rpartition(".")[0]
        return f"{path}:{self.lines[key]}" if key else str(path)

    def root(self, unit: str) -> Path:
        """Return the path of a unit's rendered Terraform root."""
        return self.path / "root" if self.state is StateMode.SINGLE else self.path / "units" / unit
