"""Values of the catalogue: a module with its manifest and the facts of its HCL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from ngp.catalogue.types import Type
from ngp.errors import Finding, nearest, require


@dataclass(frozen=True)
class SourceLocation:
    """A position in a file; `line` counts from 1."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class ModuleStatus(Enum):
    STABLE = "stable"
    LEGACY = "legacy"


@dataclass(frozen=True)
class Validation:
    """A `validation` block: its condition, and Terraform's message if it is false."""

    condition: str  # as written
    message: str  # for people
    message_text: str  # as written, with its quotes
    line: int


@dataclass(frozen=True)
class Variable:
    """An input. `default` means nothing unless `has_default`; it is a Python value (numbers: int or Decimal),
    or None where the default is an expression that only Terraform can read."""

    name: str
    type: Type
    type_text: str  # as written, for roots and docs; "any" where the module gives none
    description: str
    has_default: bool
    default: Any
    sensitive: bool
    ephemeral: bool
    nullable: bool
    validations: tuple[Validation, ...]
    place: SourceLocation


@dataclass(frozen=True)
class Output:
    name: str
    description: str
    sensitive: bool
    ephemeral: bool
    place: SourceLocation
    expression: str = ""  # as written


@dataclass(frozen=True)
class Generated:
    """A secret that AWS generates at plan and apply, seen only by a write-only argument."""

    length: int = 32
    exclude_characters: str = ""


@dataclass(frozen=True)
class ReadinessCheck:
    """A readiness check: `target` is an output's name or a template such as ``https://{registry_host}/v2/``."""

    kind: str  # http, tcp, command
    target: str
    expect: str = ""
    timeout_s: int = 600


class Effect(Enum):
    """The effect of changing an input on existing resources."""

    IN_PLACE = "in_place"
    RESTART = "restart"
    ROLLING = "rolling"
    REPLACE = "replace"


@dataclass(frozen=True)
class Upgrade:
    """The effect of changing one input; `resources` are the addresses in the module that it replaces or removes."""

    effect: Effect
    note: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The source of a module that somebody else wrote. `commit` is "" for a plain folder."""

    address: str  # git::https://host/repository//folder?ref=v1, or a folder relative to the platform's
    checksum: str  # h1: of the copy
    commit: str = ""


@dataclass(frozen=True)
class Manifest:
    """module.yaml: what HCL cannot express."""

    title: str
    summary: str
    category: str
    status: ModuleStatus = ModuleStatus.STABLE
    version: str = "0.1.0"
    requires: tuple[str, ...] = ()  # inputs that another unit's output of the same name feeds
    provides: tuple[str, ...] = ()  # outputs that others may require
    conflicts: Mapping[str, str] = field(default_factory=dict)  # module → reason
    generated: Mapping[str, Generated] = field(default_factory=dict)  # ephemeral input → how it is made
    reveal: Mapping[str, str] = field(default_factory=dict)  # name shown by --reveal → output with the secret's ARN
    show: tuple[str, ...] = ()  # outputs that `ngp apply` ends with
    ready: tuple[ReadinessCheck, ...] = ()
    data: tuple[str, ...] = ()  # resource addresses in the module that hold data
    quorum: tuple[str, ...] = ()  # resource addresses of quorum members
    marketplace: tuple[str, ...] = ()
    preflight: tuple[str, ...] = ()  # hosted_zone, quota:CODE, marketplace
    support: tuple[str, ...] = ()  # PRODUCT:VERSION, inputs in braces
    upgrade: Mapping[str, Upgrade] = field(default_factory=dict)  # input → what its change does; absent: in place
    cost: str = ""
    wildcards: Mapping[str, str] = field(default_factory=dict)  # IAM action allowed on "*" → reason
    exceptions: Mapping[str, str] = field(default_factory=dict)  # `RULE ADDRESS` of a check → why it is accepted
    policy_exceptions: Mapping[str, str] = field(default_factory=dict)  # `RULE ADDRESS` of a policy → why
    source: Origin | None = None  # of a copy of somebody else's module


@dataclass(frozen=True)
class DummyValue:
    """A harmless value of NAME.dummy, also as HCL text, with the comment lines above it (without ``# ``)."""

    text: str
    value: Any
    comment: tuple[str, ...]
    place: SourceLocation


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    manifest: Manifest
    variables: Mapping[str, Variable]  # in the order of the file
    outputs: Mapping[str, Output]
    dummies: Mapping[str, DummyValue]
    required_version: str  # terraform { required_version }, "" where none
    required_providers: Mapping[str, Mapping[str, str]]  # local name → {source, version}


@dataclass(frozen=True)
class Catalogue:
    """All modules below `path`, by name, sorted; `broken` has the errors of those that cannot be read."""

    path: Path
    modules: Mapping[str, Module]
    broken: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)

    def missing(self, name: str, where: str = "") -> tuple[Finding, ...]:
        """Return why there is no module of this name: its errors, or that it does not exist."""
        todo = nearest(name, self.modules, "list all modules: ngp module list")
        unknown = Finding(f"the module `{name}` does not exist", where, todo=todo)
        return self.broken.get(name, (unknown,))

    def require(self, names: Iterable[str] = ()) -> None:
        """Raise one UsageError with the errors of these modules (of all without names)."""
        require(finding for name in tuple(names) or self.broken for finding in self.broken.get(name, ()))
