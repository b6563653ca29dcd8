"""Explains the changes at one address: their effects, and the written lines that cause them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ngp.reports import causes, making, words
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.views import documents

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.review.baseline import Baseline
    from ngp.runs.results import RunResult

_LINES = 12  # of a change's difference


def report(resolved: Resolved, result: RunResult, baseline: Baseline | None) -> Report:
    """Return the report of a plan, with the lines that each change comes from."""
    known = making.RunFacts(resolved, causes=causes.Finder(resolved, baseline).of_run(result))
    return making.of_run(result, known, exit_code=0)


def text(made: Report, address: str, exit_code: int) -> Iterator[str]:
    """Yield lines for people about the changes at an address; none for a plan that failed before it had any."""
    found = select(made, address)
    for unit, change in found:
        yield from lines(unit, change)
    if not found and not exit_code:
        yield f"this plan does not change {address}"


def select(report: Report, address: str) -> list[tuple[UnitReport, ChangeReport]]:
    """Return the changes at an address, or inside of the module or the instances that it names."""
    inside = (f"{address}.", f"{address}[", f"{address} (deposed")
    return [
        (unit, change)
        for unit in report.units
        for change in unit.changes
        if change.address == address or change.address.startswith(inside)
    ]


def lines(unit: UnitReport, change: ChangeReport) -> Iterator[str]:
    """Yield lines for people about one change."""
    remarks = "; ".join(words.remarks(change))
    yield f"{change.symbol} {change.address} ({words.action(change)}){f': {remarks}' if remarks else ''}"
    yield from (f"      {line}" for line in change.lines[:_LINES])
    if len(change.lines) > _LINES:
        yield f"      # ({len(change.lines) - _LINES} more lines; ngp plan shows them)"
    for cause in change.causes:
        about = f"{cause.attribute}: " if cause.attribute else ""
        yield f"  cause: {about}{cause.text}{f' ({cause.place})' if cause.place else ''}"
    if not change.causes:
        yield "  cause: ngp finds none in the files"
    yield from (f"  not known yet: {one}" for one in unit.unknowns)


def document(report: Report, address: str, exit_code: int) -> dict[str, Any]:
    """Return ``ngp.explain/1``."""
    found = [
        {
            "unit": unit.unit,
            **{name: getattr(change, name) for name in ("address", "type", "action", "reason", "causes")},
            "unknowns": unit.unknowns,
        }
        for unit, change in select(report, address)
    ]
    shown = documents.data({"environment": report.environment, "address": address, "changes": found})
    return {"schema": "ngp.explain/1", "exit_code": exit_code, **shown}
