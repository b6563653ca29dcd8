"""Findings and diagnostics as JSON data, with file, line and column relative to the platform."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ngp.errors import Finding

if TYPE_CHECKING:
    from ngp.terraform.events import Diagnostic

_PLATFORM = "ngp.yaml"
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>[0-9]+))?(?::(?P<column>[0-9]+))?", re.DOTALL)
_FILE = re.compile(r"(?:/|\.{1,2}/)?[^\s:\[\]\"]*\.(?:tf|tofu|tfvars|yaml|yml|hcl|json|dummy|md|py|j2|rego)")


def finding(found: Finding) -> dict[str, Any]:
    """Return ``{what, file, line, column, address, why, hint}``; what is not known is null, a text is "".

    `file` is relative to the platform that holds it, and absolute outside of any.
    """
    place = at(found.where)
    address = found.where if found.where and place["file"] is None else None
    return {"what": found.what, **place, "address": address, "why": found.why, "hint": found.todo}


def at(where: str) -> dict[str, Any]:
    """Return ``{file, line, column}`` of a place in a file; all are null for any other text."""
    place = _PLACE.fullmatch(where)
    name = place["file"] if place else ""
    if not (Path(name).is_absolute() or _FILE.fullmatch(name)):
        return {"file": None, "line": None, "column": None}
    return {"file": _relative(name), "line": _number(place, "line"), "column": _number(place, "column")}


def shown(where: str) -> str:
    """Return a place as people read it: a file relative to the platform that holds it, any other text as it is."""
    parts = at(where)
    return ":".join(str(part) for part in parts.values() if part is not None) or where


def root(environment: str, unit: str) -> PurePosixPath:
    """Return the rendered root of a unit: Terraform names files relative to it."""
    folder = ("root",) if unit == "root" else ("units", unit)
    return PurePosixPath("environments", environment, *folder)


def located(found: Diagnostic, root: PurePosixPath) -> Diagnostic:
    """Return a diagnostic whose place is relative to the platform, as `diagnostic` reads it."""
    place = diagnostic(found, root)
    line = f":{place['line']}" if place["line"] else ""
    return replace(found, place=f"{place['file']}{line}") if place["file"] else found


def diagnostic(found: Diagnostic, root: PurePosixPath | None = None) -> dict[str, Any]:
    """Return a diagnostic with its place relative to the platform; `root` is the folder that Terraform worked in.

    A place in an environment's own files was led back to the operator's line already, and one in the copy of a module
    to the module: these are relative to the platform. So are all without `root`.
    """
    place = _PLACE.fullmatch(found.place)
    is_located = root is None or found.place.startswith((f"{root.parts[0]}/", "modules/"))
    folder = root if root is not None and not is_located else PurePosixPath()
    return {
        "severity": found.severity,
        "summary": found.summary,
        "detail": found.detail,
        "address": found.address or None,
        "file": _normal(folder / place["file"]) if place else None,
        "line": _number(place, "line"),
        "column": found.column or None,
    }


def _number(place: re.Match[str] | None, name: str) -> int | None:
    return int(place[name]) if place and place[name] else None


def _normal(path: PurePosixPath) -> str:
    return os.path.normpath(path)


def _relative(name: str) -> str:
    if not Path(name).is_absolute():
        return os.path.normpath(name)
    platform = _platform(Path(name))
    return Path(name).relative_to(platform).as_posix() if platform else name


@cache
def _platform(path: Path) -> Path | None:
    """Return the platform that contains a path: the nearest folder with an ngp.yaml."""
    return next((folder for folder in (path, *path.parents) if (folder / _PLATFORM).is_file()), None)
