"""Terraform's output with ``-json`` (machine-readable UI 1.x), as typed events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TerraformVersion:
    terraform: str


@dataclass(frozen=True)
class PlannedChange:
    """The planned change of one resource."""

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
    """A warning or an error. `place` is ``file:line`` relative to the root, "" if Terraform names none."""

    severity: str
    summary: str
    detail: str
    address: str = ""
    place: str = ""
    column: int = 0  # counts from 1; 0 where Terraform names none


@dataclass(frozen=True)
class UnknownEvent:
    """A message that this version of ngp does not know, unchanged; kind "text" is a line that is not JSON."""

    kind: str
    document: Mapping[str, Any]


Event = (
    TerraformVersion
    | PlannedChange
    | ResourceStarted
    | ResourceProgress
    | ResourceDone
    | ResourceFailed
    | Summary
    | Diagnostic
    | UnknownEvent
)


def parse(line: str) -> Event:
    """Parse one line of a ``-json`` stream. Unknown messages become UnknownEvent."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return UnknownEvent("text", {"text": line})
    kind = str(document.get("type", ""))
    try:
        return _read(kind, document)
    except (AttributeError, KeyError, TypeError, ValueError):
        return UnknownEvent(kind, document)


def diagnostic(document: Mapping[str, Any]) -> Diagnostic:
    """Parse one diagnostic of a ``-json`` stream or of ``validate -json``."""
    place = document.get("range") or {}
    start = place.get("start") or {}
    line = start.get("line", "")
    return Diagnostic(
        severity=str(document.get("severity", "error")),
        summary=str(document.get("summary", "")),
        detail=str(document.get("detail", "")),
        address=str(document.get("address", "")),
        place=f"{place['filename']}:{line}" if place.get("filename") else "",
        column=int(start.get("column") or 0),
    )


def _read(kind: str, document: Mapping[str, Any]) -> Event:
    if kind == "diagnostic":
        return diagnostic(document["diagnostic"])
    if kind == "planned_change":
        change = document["change"]
        return PlannedChange(change["resource"]["addr"], change["action"])
    if kind in _HOOKS:
        hook = document["hook"]
        return _HOOKS[kind](hook["resource"]["addr"], hook.get("action", ""), float(hook.get("elapsed_seconds", 0)))
    if kind == "change_summary":
        changes = document["changes"]
        return Summary(int(changes["add"]), int(changes["change"]), int(changes["remove"]), changes["operation"])
    if kind == "version":
        return TerraformVersion(str(document.get("terraform") or document["tofu"]))
    return UnknownEvent(kind, document)


_HOOKS: Mapping[str, Callable[[str, str, float], Event]] = {
    "apply_start": lambda address, action, _: ResourceStarted(address, action),
    "apply_progress": lambda address, _, elapsed_s: ResourceProgress(address, elapsed_s),
    "apply_complete": ResourceDone,
    "apply_errored": ResourceFailed,
}
