"""Places in files as CI systems take them: relative to the top of the repository, wherever the platform lies in it.

`prefix` is the platform's folder in the repository, "" or ``path/to/platform/``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ngp.errors import Finding
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.terraform.events import Diagnostic
from ngp.views import places


def find(where: str, prefix: str) -> Mapping[str, Any]:
    """Return ``{file, line, column}`` of a place; all are null for another text."""
    found = places.at(where)
    return {**found, "file": _path(found["file"], prefix)} if found["file"] else found


def findings(found: Iterable[Finding], prefix: str) -> tuple[Finding, ...]:
    """Return findings with places relative to the top."""
    return tuple(replace(one, where=_text(one.where, prefix)) for one in found)


def of_report(report: Report, prefix: str) -> Report:
    """Return a report with places relative to the top."""
    units = tuple(_unit(one, report.environment, prefix) for one in report.units)
    return replace(report, units=units, findings=findings(report.findings, prefix))


def _unit(unit: UnitReport, environment: str, prefix: str) -> UnitReport:
    diagnostics = tuple(_diagnostic(one, environment, unit.unit, prefix) for one in unit.diagnostics)
    changes = tuple(_change(one, prefix) for one in unit.changes)
    return replace(unit, changes=changes, diagnostics=diagnostics, findings=findings(unit.findings, prefix))


def _change(change: ChangeReport, prefix: str) -> ChangeReport:
    return replace(change, causes=tuple(replace(one, place=_text(one.place, prefix)) for one in change.causes))


def _diagnostic(found: Diagnostic, environment: str, unit: str, prefix: str) -> Diagnostic:
    place = places.diagnostic(found, places.root(environment, unit))
    if not place["file"]:
        return found
    line = f":{place['line']}" if place["line"] else ""
    return replace(found, place=f"{_path(place['file'], prefix)}{line}")


def _text(where: str, prefix: str) -> str:
    place = find(where, prefix)
    return ":".join(str(word) for word in place.values() if word is not None) if place["file"] else where


def _path(name: str, prefix: str) -> str:
    return name if Path(name).is_absolute() else os.path.normpath(f"{prefix}{name}")
