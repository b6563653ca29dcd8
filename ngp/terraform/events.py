"""What Terraform tells while it runs (``-json``, machine-readable UI 1.x), as typed events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Version:
    terraform: str


@dataclass(frozen=True)
class Planned:
    """One resource's planned change."""

    address: str
    action: str


@dataclass(frozen=True)
class ResourceStarted:
    address: str
    action: str


@dataclass(frozen=True)
class ResourceProgress:
    address: str
    elapsed_s: float


@dataclass(frozen=True)
class ResourceDone:
    address: str
    action: str
    elapsed_s: float


@dataclass(frozen=True)
class ResourceFailed:
    address: str
    action: str
    elapsed_s: float


@dataclass(frozen=True)
class Summary:
    add: int
    change: int
    remove: int
    operation: str


@dataclass(frozen=True)
class Diagnostic:
    """A warning or an error; `place` is ``file:line`` relative to the root, "" where Terraform names none."""

    severity: str
    summary: str
    detail: str
    address: str = ""
    place: str = ""


@dataclass(frozen=True)
class Unknown:
    """A kind of message that this version of ngp does not know, kept as it came."""

    kind: str
    document: Mapping[str, Any]


Event = (
    Version
    | Planned
    | ResourceStarted
    | ResourceProgress
    | ResourceDone
    | ResourceFailed
    | Summary
    | Diagnostic
    | Unknown
)
