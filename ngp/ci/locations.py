"""Places in files as CI systems take them: relative to the top of the repository, wherever the platform lies in it.

`prefix` is the platform's folder in the repository, "" or ``path/to/platform/``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from ngp.errors import Finding
from ngp.policies.verdict import Verdict, Violation
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.review.affected import Affected, AffectedUnit, Reason
from ngp.terraform.events import Diagnostic
from ngp.views import places


def find(where: str, prefix: str) -> Mapping[str, Any]:
    """Return ``{file, line, column}`` of a place; all are null for another text."""
    found = places.at(where)
    return {**found, "file": _path(found["file"], prefix)} if found["file"] else found


def findings(found: Iterable[Finding], prefix: str) -> tuple[Finding, ...]:
    """Return findings with places relative to the top, also where a reason is only a place (``see FILE:LINE``)."""
    return tuple(replace(one, where=_text(one.where, prefix), why=_why(one.why, prefix)) for one in found)


def of_affected(found: Affected, prefix: str) -> Affected:
    """Return affected units whose reasons name files relative to the top; `changed` stays relative to the platform."""
    return replace(found, units=_reasons(found.units, prefix), removed=_reasons(found.removed, prefix))


def of_report(report: Report, prefix: str) -> Report:
    """Return a report with places relative to the top; reasons of its units come from `of_affected`."""
    units = tuple(_unit(one, prefix) for one in report.units)
    policy = _verdict(report.policy, prefix) if report.policy else None
    found = tuple(one.finding for one in policy.violations) if policy else findings(report.findings, prefix)
    return replace(report, units=units, findings=found, policy=policy, flags=findings(report.flags, prefix))


def _reasons(units: Iterable[AffectedUnit], prefix: str) -> tuple[AffectedUnit, ...]:
    return tuple(replace(one, reasons=tuple(_reason(each, prefix) for each in one.reasons)) for one in units)


def _reason(reason: Reason, prefix: str) -> Reason:
    """Lead the files and the folder that a reason names back to the top."""
    names = sorted((name for name in reason.paths if name in reason.text), key=len, reverse=True)
    known = [rf"(?<!\S)(?:{'|'.join(map(re.escape, names))})"] if names else []
    known += [rf"(?:(?<=calls )|(?<=root )){re.escape(reason.folder)}"] if reason.folder else []
    if not known or not prefix:
        return reason
    text = re.sub(rf"(?:{'|'.join(known)})(?=[\s,;]|$)", lambda match: _path(match[0], prefix), reason.text)
    folder = _path(reason.folder, prefix) if reason.folder else ""
    return replace(reason, text=text, paths=tuple(_path(path, prefix) for path in reason.paths), folder=folder)


def _verdict(verdict: Verdict, prefix: str) -> Verdict:
    found = tuple(_violation(one, prefix) for one in verdict.violations)
    accepted = tuple((_violation(one, prefix), reason) for one, reason in verdict.accepted)
    return replace(verdict, violations=found, accepted=accepted)


def _violation(found: Violation, prefix: str) -> Violation:
    return replace(found, source=_text(found.source, prefix))


def _unit(unit: UnitReport, prefix: str) -> UnitReport:
    diagnostics = tuple(_diagnostic(one, prefix) for one in unit.diagnostics)
    changes = tuple(_change(one, prefix) for one in unit.changes)
    return replace(unit, changes=changes, diagnostics=diagnostics, findings=findings(unit.findings, prefix))


def _change(change: ChangeReport, prefix: str) -> ChangeReport:
    return replace(change, causes=tuple(replace(one, place=_text(one.place, prefix)) for one in change.causes))


def _diagnostic(found: Diagnostic, prefix: str) -> Diagnostic:
    place = places.diagnostic(found)
    if not place["file"]:
        return found
    line = f":{place['line']}" if place["line"] else ""
    return replace(found, place=f"{_path(place['file'], prefix)}{line}")


def _why(why: str, prefix: str) -> str:
    word, space, place = why.partition(" ")
    return f"{word}{space}{_text(place, prefix)}" if word == "see" else why


def _text(where: str, prefix: str) -> str:
    place = find(where, prefix)
    return ":".join(str(word) for word in place.values() if word is not None) if place["file"] else where


def _path(name: str, prefix: str) -> str:
    return name if PurePosixPath(name).is_absolute() else os.path.normpath(f"{prefix}{name}")
