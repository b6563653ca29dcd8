"""Counts units and operations of a run, from its events in any order."""

from __future__ import annotations

from dataclasses import replace

from ngp.runs.events import Phase, RunStarted, UnitEntered, UnitProgressed
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult, Verb
from ngp.views import board, excerpts, terminal
from ngp.views.board import Row

_PHASES = {Verb.PLAN: Phase.PREVIEW, Verb.APPLY: Phase.APPLY, Verb.DESTROY: Phase.DESTROY}


class Tally:
    """The rows of the display and their totals; times are readings of one clock."""

    def __init__(self) -> None:
        self.verb = Verb.PLAN
        self.rows: dict[str, Row] = {}  # of many units, only running ones
        self.is_big = False
        self.is_acting = False  # whether the first unit is being changed
        self._ends_at: float | None = None  # by earlier runs
        self._units = 0
        self._ended: dict[str, Outcome] = {}
        self._steps: dict[str, int] = {}  # operations that each unit takes
        self._done: dict[str, int] = {}

    @property
    def has_units(self) -> bool:
        return bool(self._units)

    def start(self, event: RunStarted) -> None:
        """Add the units of a run."""
        self.verb = event.verb
        self._units, self.is_big = len(event.units), excerpts.is_big(len(event.units))
        self.rows = {} if self.is_big else {fact.unit: Row() for fact in event.units}

    def enter(self, event: UnitEntered, now: float) -> None:
        """Record that a unit starts a phase."""
        self._begin(event.unit, event.phase, now, event.total)

    def expect(self, seconds: float, now: float) -> None:
        """Set the expected duration of the changes."""
        self._ends_at = now + seconds

    def advance(self, event: UnitProgressed, now: float) -> Row | None:
        """Record a step of a resource; return the unit's row, None if the unit has ended."""
        unit = event.unit
        if unit in self._ended and not self._is_previewed(unit):
            return None
        if unit not in self.rows or not self.rows[unit].is_at_work:
            self._begin(unit, _PHASES[self.verb], now, event.total)
        row = self.rows[unit].advance(event, now)
        self.rows[unit] = row
        self._count(unit, row.done, row.total)
        return row

    def finish(self, result: UnitResult) -> None:
        """Record the result of a unit."""
        unit = result.unit
        self._ended[unit] = result.outcome
        row = self.rows.get(unit, Row())
        if board.is_preview(result, self.verb):
            row = Row(total=result.counts.steps)
        elif result.outcome is Outcome.NO_CHANGES or self.verb is Verb.PLAN:
            row = Row()
        elif result.outcome.is_good:
            row = replace(row, done=row.total)
        self._count(unit, row.done, row.total)
        if self.is_big:
            self.rows.pop(unit, None)
        else:
            self.rows[unit] = replace(row, result=result, busy={})

    def total(self, seconds: float, now: float = 0.0) -> str:
        """``14 of 44 changes, 1 of 5 units applied, 2m 29s, about 40 s left``."""
        ended = {unit: one for unit, one in self._ended.items() if not (self.is_acting and self._is_previewed(unit))}
        words = [board.total(self.verb, ended.values(), self._units, is_acting=self.is_acting), board.elapsed(seconds)]
        if self.is_acting:
            steps = terminal.amount(sum(self._steps.values()), "change")
            words.insert(0, f"{sum(self._done.values()):,} of {steps}")
        if self.is_acting and self._ends_at is not None and self._ends_at > now:
            words.append(f"about {board.elapsed(self._ends_at - now)} left")
        return ", ".join(words)

    def _is_previewed(self, unit: str) -> bool:
        return self.verb is not Verb.PLAN and self._ended.get(unit) in (Outcome.PLANNED, Outcome.DEFERRED)

    def _begin(self, unit: str, phase: Phase, now: float, total: int) -> None:
        if self._is_previewed(unit) or phase in (Phase.APPLY, Phase.DESTROY):
            self.is_acting = True
        self._ended.pop(unit, None)
        old = self.rows.get(unit)
        entered = old.entered if old is not None and old.is_at_work else now
        total = total or self._steps.get(unit, 0)
        self.rows[unit] = Row(phase, total=total, entered=entered, shown_at=now)
        self._count(unit, 0, total)

    def _count(self, unit: str, done: int, total: int) -> None:
        self._done[unit], self._steps[unit] = done, total
