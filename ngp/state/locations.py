"""Locations of states, derived from names alone, without a call of AWS."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ngp.files import WORKSPACE
from ngp.workspace import Workspace

S3, LOCAL = "s3", "local"
_LONGEST_BUCKET = 63


@dataclass(frozen=True)
class StateLocation:
    """The location of a state file: `bucket` and `key` for S3, `path` for a local one (None for S3)."""

    kind: str
    bucket: str
    key: str
    region: str
    path: Path | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.kind == S3 else str(self.path)


def derive(  # noqa: PLR0913  the parts of one name, each from another file
    platform_name: str,
    account: str,
    region: str,
    environment: str,
    unit: str,
    kind: str = S3,
    *,
    bucket: str = "",
    single: bool = False,
    workspace: Workspace = Workspace(Path(WORKSPACE)),  # noqa: B008  a value
) -> StateLocation:
    """Return the location of a unit's state; with one state for the environment (`single`) it is the same for all.

    `bucket` overrides the derived name. `workspace` is the platform's, absolute, or relative for a path relative to the
    platform.
    """
    name = "root" if single else unit
    if kind == LOCAL:
        return StateLocation(LOCAL, "", "", region, workspace.states / environment / f"{name}.tfstate")
    bucket = bucket or bucket_name(platform_name, account, region)
    return StateLocation(S3, bucket, f"environments/{environment}/{name}.tfstate", region)


def bucket_name(platform: str, account: str, region: str) -> str:
    """Return ``{platform}-tfstate-{account}-{region}`` as S3 allows it: lower case, 3 to 63 of ``[a-z0-9-]``.

    A platform's name that is too long is cut, with a digest that keeps it unique.
    """
    tail = f"-tfstate-{account}-{region}"
    stem = re.sub(r"[^a-z0-9]+", "-", platform.lower()).strip("-") or "ngp"
    if len(stem) + len(tail) > _LONGEST_BUCKET:
        digest = hashlib.sha256(platform.encode()).hexdigest()[:6]
        stem = f"{stem[: _LONGEST_BUCKET - len(tail) - 7].rstrip('-')}-{digest}"
    return stem + tail
