"""A report as one HTML page: self-contained, readable without scripts, and without room for a value to become markup.

Its look is in the templates ``reports/page.html.j2``, ``reports/style.css.j2`` and ``reports/script.js.j2``, which a
platform can replace. The page's own policy (CSP) forbids every request and every script and style but these two.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.rendering import templates
from ngp.reports import drawing, timeline, words
from ngp.reports.markdown import plain
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.views import changes, places
from ngp.views.attribute_lines import AttributeLine
from ngp.views.terminal import amount, duration

_CHANGES, _LINES = 2000, 40_000  # on the page; the rest is counted
_UNITS, _NAMES, _DANGERS, _BARS = 500, 2000, 100, 60
_OPEN = 12  # units that are open at first
_KINDS = {"+": "add", "-": "del", "~": "chg"}
_BAR = 20  # height of a bar


@dataclass
class _Room:
    """What is left of the page's room."""

    changes: int = _CHANGES
    lines: int = _LINES


def render(report: Report, platform: Path | None = None) -> str:
    """Return the page; `platform` is the folder with overriding templates."""
    style = templates.render(platform, "reports/style.css.j2", {})
    script = templates.render(platform, "reports/script.js.j2", {})
    context = _context(report)
    own = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    return templates.render(
        platform, "reports/page.html.j2", {**context, "style": style, "script": script, "policy": policy}
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _context(report: Report) -> dict[str, Any]:
    room = _Room()
    busy = [unit for unit in report.units if unit.rank < 4 or unit.diagnostics or unit.findings]
    idle = _idle(report, busy)
    numbers = {unit.unit: number for number, unit in enumerate(busy[:_UNITS], 1)}
    shown = [_unit(unit, number, room) for number, unit in enumerate(busy[:_UNITS], 1)]
    dangers = [_danger(unit, change, numbers) for unit, change in report.dangers]
    return {
        "title": plain(words.title(report)),
        "verdict": plain(words.totals(report)),
        "sizes": _sizes(report),
        "facts": [(name, plain(value)) for name, value in words.facts(report)],
        "findings": [_finding(one) for one in report.findings],
        "findings_title": "Policies" if report.policy else "The run was stopped",
        "flags": [_finding(one) | {"kind": "warning"} for one in report.flags],
        "dangers": dangers[:_DANGERS],
        "more_dangers": max(0, len(dangers) - _DANGERS),
        "units": shown,
        "more_units": max(0, len(busy) - _UNITS),
        "more_changes": sum(len(unit.changes) for unit in busy) - sum(len(unit["changes"]) for unit in shown),
        "idle": [plain(unit.unit) for unit in idle[:_NAMES]],
        "idle_number": len(idle),
        "drawing": _drawing(report, numbers),
        "timeline": _timeline(report),
        "orphans": [
            plain(f"{one.unit or one.environment}: {amount(one.resources, 'resource')}") for one in report.orphans
        ],
    }


def _idle(report: Report, busy: Sequence[UnitReport]) -> list[UnitReport]:
    known = {unit.unit for unit in busy}
    return [unit for unit in report.units if unit.unit not in known]


def _sizes(report: Report) -> list[tuple[str, str, str]]:
    """Each kind of change with its symbol, its number and its words."""
    counts, done = report.counts, not report.is_proposal
    found = [
        ("add", "+", counts.create, "created" if done else "to create"),
        ("chg", "~", counts.update, "updated" if done else "to update"),
        ("rep", "-/+", counts.replace, "replaced" if done else "to replace"),
        ("del", "-", counts.delete, "deleted" if done else "to delete"),
        ("same", ".", counts.forget, "forgotten" if done else "to forget"),
    ]
    return [(kind, symbol, f"{number:,} {word}") for kind, symbol, number, word in found if number]


def _danger(unit: UnitReport, change: ChangeReport, numbers: dict[str, int]) -> dict[str, Any]:
    at = numbers.get(unit.unit)
    return {
        "kind": _kind(change),
        "symbol": change.symbol,
        "action": words.action(change),
        "address": plain(change.address),
        "unit": plain(unit.unit),
        "anchor": f"u{at}" if at else "",
        "remarks": [plain(one) for one in words.remarks(change)],
    }


def _unit(unit: UnitReport, number: int, room: _Room) -> dict[str, Any]:
    taken = unit.changes[: max(0, room.changes)]
    room.changes -= len(taken)
    return {
        "anchor": f"u{number}",
        "name": plain(unit.unit),
        "module": plain(unit.module),
        "wave": unit.wave,
        "state": drawing.state(unit),
        "symbol": "⚠" if unit.rank == 1 else unit.outcome.traits.symbol,
        "word": unit.outcome.word,
        "size": changes.summary(unit.counts),
        "side": words.side_changes(unit),
        "is_open": unit.rank <= 1 and number <= _OPEN,
        "is_preview": unit.is_preview,
        "reason": plain(unit.reason),
        "why": [plain(one) for one in unit.why],
        "unknowns": [plain(one) for one in unit.unknowns],
        "invocations": [plain(one) for one in unit.invocations],
        "problems": [*map(_diagnostic, unit.diagnostics), *map(_finding, unit.findings)],
        "changes": [_change(change, room) for change in taken],
        "more": len(unit.changes) - len(taken),
        "outputs": _lines(unit.outputs),
    }


def _change(change: ChangeReport, room: _Room) -> dict[str, Any]:
    has_room = len(change.lines) <= room.lines
    room.lines -= len(change.lines) if has_room else 0
    return {
        "kind": _kind(change),
        "symbol": change.symbol,
        "action": words.action(change),
        "address": plain(change.address),
        "remarks": [plain(one) for one in words.remarks(change)],
        "is_dangerous": change.is_dangerous,
        "causes": [tuple(map(plain, cause)) for cause in words.cause(change)],
        "lines": _lines(change.lines) if has_room else [],
        "is_cut": not has_room,
    }


def _kind(change: ChangeReport) -> str:
    return "rep" if change.symbol == "-/+" else _KINDS.get(change.symbol, "same")


def _lines(lines: Sequence[AttributeLine]) -> list[tuple[str, str]]:
    """Each line with its look; the depth stays as blanks, so that what is copied is as it was."""
    return [(_KINDS.get(line.mark, "ctx"), f"{line.mark} {'  ' * line.depth}{plain(line.text)}") for line in lines]


def _diagnostic(one: Any) -> dict[str, str]:
    where = ", ".join(part for part in (one.address, one.place) if part)
    return {
        "kind": one.severity,
        "what": plain(one.summary),
        "where": plain(where),
        "why": one.detail.strip(),
        "fix": "",
    }


def _finding(one: Any) -> dict[str, str]:
    where = plain(places.shown(one.where))
    return {"kind": "error", "what": plain(one.what), "where": where, "why": one.why, "fix": plain(one.todo)}


def _drawing(report: Report, numbers: dict[str, int]) -> dict[str, Any] | None:
    found = drawing.draw(report)
    if not found.boxes:
        return None
    takes: dict[str, list[str]] = {}
    for edge in found.edges:
        known = ", not known yet" if edge.is_unknown else ""
        takes.setdefault(edge.unit, []).append(f"{edge.inputs} of {edge.source}{known}")
    boxes = [
        {
            "box": box,
            "name": plain(box.name),
            "unit": plain(box.unit or box.name),
            "says": plain(box.says),
            "anchor": f"u{numbers[box.unit]}" if box.unit in numbers else "",
            "takes": [plain(one) for one in takes.get(box.unit, ())],
        }
        for box in found.boxes
    ]
    edges = [
        {
            "path": one.path,
            "is_unknown": one.is_unknown,
            "says": plain(f"{one.unit} uses {one.inputs} of {one.source}"),
        }
        for one in found.edges
    ]
    return {"width": found.width, "height": found.height, "waves": found.waves, "boxes": boxes, "edges": edges}


def _timeline(report: Report) -> dict[str, Any] | None:
    found = timeline.bars(report)
    if not found:
        return None
    end = max(bar.end_s for bar in found) or 1.0
    critical = [bar for bar in found if bar.is_critical]
    longest = sorted(found, key=lambda bar: (not bar.is_critical, -bar.duration_s))[:_BARS]
    shown = [bar for bar in found if bar in longest]
    return {
        "total": duration(end),
        "height": len(shown) * _BAR,
        "bars": [
            {
                "y": row * _BAR,
                "x": round(1000 * bar.start_s / end, 1),
                "width": max(2.0, round(1000 * bar.duration_s / end, 1)),
                "unit": plain(bar.unit),
                "start": duration(bar.start_s),
                "took": duration(bar.duration_s),
                "is_critical": bar.is_critical,
            }
            for row, bar in enumerate(shown)
        ],
        "critical": " → ".join(plain(bar.unit) for bar in critical),
        "more": len(found) - len(shown),
    }
