"""The progress display: the status of each unit, arranged for the width of the terminal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ngp.runs.events import Phase, ResourceStep, UnitProgressed
from ngp.runs.outcomes import Outcome, ordered
from ngp.runs.results import UnitResult, Verb
from ngp.views import changes, terminal

if TYPE_CHECKING:
    from rich.text import Text

_DETAIL = 24  # columns that a row's last cell needs
_UNIT = 16  # columns that a unit's name keeps before the last cell gets any
_GAP = 2
_MODULE = re.compile(r"^module\.[^.\[]+\.")
_VERBS = {Verb.PLAN: "planned", Verb.APPLY: "applied", Verb.DESTROY: "destroyed"}


@dataclass(frozen=True)
class Row:
    """A unit in the display. `entered`, `shown_at` and the values of `busy` (address → start) are clock readings."""

    phase: Phase = Phase.WAITING
    done: int = 0
    total: int = 0
    entered: float = 0.0
    shown_at: float = 0.0
    busy: Mapping[str, float] = field(default_factory=dict)
    result: UnitResult | None = None

    @property
    def is_at_work(self) -> bool:
        return self.result is None and self.phase is not Phase.WAITING

    def advance(self, event: UnitProgressed, now: float) -> Row:
        """Return the row after a resource took a step."""
        busy = dict(self.busy)
        if event.step in (ResourceStep.DONE, ResourceStep.FAILED):
            busy.pop(event.address, None)
        else:
            busy.setdefault(event.address, now - event.elapsed_s)
        return replace(self, done=event.done, total=max(event.total, self.total), busy=busy)

    def slowest(self) -> tuple[str, float] | None:
        """Return the resource that has been in progress longest, and its start."""
        return min(self.busy.items(), key=lambda item: item[1]) if self.busy else None


def is_preview(result: UnitResult, verb: Verb) -> bool:
    """Whether a result only announces what the run will do to the unit."""
    return verb is not Verb.PLAN and result.outcome in (Outcome.PLANNED, Outcome.DEFERRED)


def share(row: Row) -> str:
    """Return ``12/40``, "" if nothing is counted."""
    return f"{row.done}/{row.total}" if row.total else ""


def elapsed(seconds: float) -> str:
    """Return a running time in whole seconds."""
    return f"{seconds:.0f} s" if seconds < 60 else terminal.duration(seconds)


def slow(row: Row, now: float) -> str:
    """Return ``2m 10s aws_db_instance.this``: the slowest resource in progress, without its unit."""
    found = row.slowest()
    return f"{elapsed(now - found[1])} {_MODULE.sub('', found[0])}" if found else ""


def slowest(rows: Mapping[str, Row], now: float) -> str:
    """Return the slowest resource of all units, with its unit."""
    busy = [(found[1], unit) for unit, row in rows.items() if (found := row.slowest())]
    if not busy:
        return ""
    unit = min(busy)[1]
    return f"slowest: {unit} {slow(rows[unit], now)}"


def ending(result: UnitResult) -> str:
    """Return ``applied, +12``: the end of a unit, for a log."""
    amount = changes.summary(result.counts)
    return f"{result.outcome.word}, {amount}" if amount else result.outcome.word


def total(verb: Verb, ended: Iterable[Outcome], units: int, *, is_acting: bool) -> str:
    """Return ``3 of 5 units applied``. Before the first change, previews count, named as such."""
    counted = Counter(ended)
    word = _VERBS[verb] if is_acting or verb is Verb.PLAN else "previewed"
    bad = ", ".join(f"{counted[outcome]:,} {outcome.word}" for outcome in ordered(counted) if not outcome.is_good)
    head = f"{counted.total():,} of {terminal.amount(units, 'unit')} {word if not bad else 'finished'}"
    return f"{head} ({bad})" if bad else head


def visible(rows: Mapping[str, Row], room: int) -> list[tuple[str, Row]]:
    """Return the rows that fit: running units first, then the last ended ones, then waiting ones."""
    if len(rows) <= room:
        return list(rows.items())
    order = {unit: at for at, unit in enumerate(rows)}

    def rank(item: tuple[str, Row]) -> tuple[int, int]:
        unit, row = item
        if row.result is None:
            return (2 if row.phase is Phase.WAITING else 0, order[unit])
        return (1, -order[unit])

    chosen = sorted(rows.items(), key=rank)[: max(room, 1)]
    return sorted(chosen, key=lambda item: order[item[0]])


def arrange(rows: Sequence[tuple[str, Row]], now: float, width: int, verb: Verb) -> list[Text]:
    """Return a line per unit: name, state, done of all, time, and the slowest resource or the reason.

    No line is wider than `width`. Where the last cell does not fit, one line below has the slowest resource of all.
    """
    cells = [_cells(unit, row, now, verb) for unit, row in rows]
    if not cells:
        return []
    widths = _widths(cells, width)
    styles = (_style(row, verb) for _, row in rows)
    lines = [terminal.line(_line(each, widths), style=style) for each, style in zip(cells, styles, strict=True)]
    below = "" if widths[4] else slowest(dict(rows), now)
    lines += [terminal.line(below, style="bold")] if below else []
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _widths(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of the columns. A long unit name is cut first; the last column is 0 if it does not fit."""
    widths = [max(len(each[at]) for each in cells) for at in range(5)]
    room = width - sum(widths[1:4]) - 3 * _GAP
    detail = min(widths[4], _DETAIL)
    if not detail or room - _GAP - _UNIT < detail:
        return [max(min(widths[0], room), 1), *widths[1:4], 0]
    unit = min(widths[0], room - _GAP - detail)
    return [unit, *widths[1:4], room - _GAP - unit]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    unit, state, done, took, detail = cells
    shown = [
        f"{_cut(unit, widths[0]):<{widths[0]}}",
        f"{state:<{widths[1]}}",
        f"{done:>{widths[2]}}",
        f"{took:>{widths[3]}}",
        _cut(detail, widths[4]),
    ]
    return (" " * _GAP).join(shown).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…" if width else ""


def _cells(unit: str, row: Row, now: float, verb: Verb) -> tuple[str, str, str, str, str]:
    result = row.result
    if result is None:
        if row.phase is Phase.WAITING:
            return unit, "  waiting", "", "", ""
        return unit, f"▸ {row.phase.value}", share(row), elapsed(now - row.entered), slow(row, now)
    amount = changes.summary(result.counts)
    if is_preview(result, verb) and result.outcome is Outcome.PLANNED:
        return unit, "  waiting", share(row), "", amount
    state = f"{result.outcome.traits.symbol} {result.outcome.word}"
    return unit, state, share(row), terminal.duration(result.duration_s), _MODULE.sub("", result.reason) or amount


def _style(row: Row, verb: Verb) -> str:
    if row.result is None:
        return "dim" if row.phase is Phase.WAITING else "bold"
    return "dim" if is_preview(row.result, verb) else row.result.outcome.traits.style
