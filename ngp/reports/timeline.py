"""When the units of a run were worked on, and the chain of units that made it as long as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ngp.reports.report import Report, UnitReport
from ngp.runs.results import Verb

_PHASES = {
    Verb.PLAN: ("init", "preview", "plan"),
    Verb.APPLY: ("apply",),
    Verb.DESTROY: ("destroy",),
}


@dataclass(frozen=True)
class Bar:
    """A unit's time in seconds from the first one's start. `is_critical` says that the run waited for it."""

    unit: str
    start_s: float
    duration_s: float
    is_critical: bool = False

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


def started(journal: Path, verb: Verb) -> dict[str, float]:
    """Return the seconds until each unit started, from the journal; {} if it cannot be read."""
    found: dict[str, float] = {}
    first: float | None = None
    try:
        lines = journal.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    for line in filter(None, lines):
        try:
            entry = json.loads(line)
            first = float(entry["at"]) if first is None else first
            if entry["kind"] == "unit_entered" and entry["phase"] in _PHASES[verb]:
                found.setdefault(str(entry["unit"]), max(0.0, round(float(entry["at"]) - first, 3)))
        except (ValueError, KeyError, TypeError):
            continue  # torn by the end of a disk
    return found


def bars(report: Report) -> list[Bar]:
    """Return a bar for each unit that took time, by start; [] where all units were planned as one.

    Where the starts are not known, a unit begins when the last unit that feeds it has ended.
    """
    timed = [unit for unit in report.units if unit.duration_s > 0]
    if not timed or _is_joint(timed):
        return []
    feeders = _feeders(report)
    placed = _placed(timed, feeders)
    critical = _critical(placed, feeders)
    first = min(bar.start_s for bar in placed.values())
    found = [Bar(one.unit, one.start_s - first, one.duration_s, one.unit in critical) for one in placed.values()]
    return sorted(found, key=lambda bar: (bar.start_s, bar.end_s, bar.unit))


def _is_joint(units: list[UnitReport]) -> bool:
    """Whether the units share one Terraform process: each has its whole time."""
    return len(units) > 1 and len({round(unit.duration_s, 3) for unit in units}) == 1


def _feeders(report: Report) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for wire in report.wires:
        found.setdefault(wire.unit, set()).add(wire.origin.partition(".")[0])
    if report.verb is not Verb.DESTROY:
        return found
    reverse: dict[str, set[str]] = {}
    for unit, sources in found.items():
        for source in sources:
            reverse.setdefault(source, set()).add(unit)
    return reverse


def _placed(units: list[UnitReport], feeders: Mapping[str, set[str]]) -> dict[str, Bar]:
    """The bars by unit; the order of waves (backwards for a destroy) has every feeder before who takes of it."""
    placed: dict[str, Bar] = {}
    waiting = {unit.unit: unit for unit in sorted(units, key=lambda one: one.wave)}
    while waiting:
        ready = [name for name in waiting if not feeders.get(name, set()) & waiting.keys()] or [next(iter(waiting))]
        for name in ready:
            unit = waiting.pop(name)
            ends = [placed[one].end_s for one in feeders.get(name, ()) if one in placed]
            start = max(ends, default=0.0) if unit.started_s is None else unit.started_s
            placed[name] = Bar(name, start, unit.duration_s)
    return placed


def _critical(placed: Mapping[str, Bar], feeders: Mapping[str, set[str]]) -> set[str]:
    """The units of the chain that ends last, each of which waited for the one before it."""
    found: set[str] = set()
    last: str | None = max(placed, key=lambda name: placed[name].end_s)
    while last is not None and last not in found:
        found.add(last)
        before = [one for one in feeders.get(last, ()) if one in placed]
        last = max(before, key=lambda name: placed[name].end_s, default=None)
    return found
