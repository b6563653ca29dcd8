"""Outcomes of a unit: one table of their words, colours, symbols, order and exit codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """The outcome of a unit. The value is its name in JSON; the table below has everything else."""

    NO_CHANGES = "no_changes"
    PLANNED = "changes"  # a full plan, or a preview that has changes
    DEFERRED = "deferred"  # cannot even be previewed
    APPLIED = "applied"
    DESTROYED = "destroyed"
    PARTLY = "partly_applied"  # some of its resources are done; the others need something that failed elsewhere
    FAILED = "failed"
    REFUSED = "refused"  # a guard refused it: more than was reviewed, or a deferred unit without consent
    STALE = "stale"  # its state changed between its plan and its apply
    LOCKED = "locked"  # the unit's state is locked by somebody else
    SKIPPED = "skipped"  # not started: an upstream did not succeed, or the run was stopped
    STOPPED = "stopped"  # interrupted while running

    @property
    def traits(self) -> Traits:
        """The row of the table."""
        return _TRAITS[self]

    @property
    def word(self) -> str:
        """The word that people read."""
        return self.traits.word

    @property
    def is_good(self) -> bool:
        """Whether the dependants of the unit can continue."""
        return self.traits.is_good

    @property
    def is_looking(self) -> bool:
        """Whether the unit was not changed: it was only read, or not even that."""
        return self.traits.is_looking


@dataclass(frozen=True)
class Traits:
    """How an outcome is shown, and its effect on the run.

    `style` is Rich's. `order` ranks outcomes in a list and decides the exit code: the lowest wins. `exit_changes` is
    the exit code with `--detailed-exitcode`.
    """

    word: str
    counted: str  # in totals: "2 with changes"
    symbol: str
    style: str
    order: int
    exit_code: int = 0
    exit_changes: int = 0
    is_good: bool = False
    is_looking: bool = False


_TRAITS: Mapping[Outcome, Traits] = {
    Outcome.STOPPED: Traits("stopped", "stopped", "■", "red", 0, 130),
    Outcome.FAILED: Traits("failed", "failed", "✗", "red", 1, 1),
    Outcome.PARTLY: Traits("partly applied", "partly applied", "✗", "red", 2, 1),
    Outcome.LOCKED: Traits("locked", "locked", "✗", "red", 3, 5),
    Outcome.STALE: Traits("stale", "stale", "✗", "red", 4, 4),
    Outcome.REFUSED: Traits("refused", "refused", "✗", "red", 5, 3),
    Outcome.SKIPPED: Traits("skipped", "skipped", "-", "yellow", 6, is_looking=True),
    Outcome.DEFERRED: Traits("deferred", "deferred", "?", "yellow", 7, 0, 2, is_good=True, is_looking=True),
    Outcome.PLANNED: Traits("changes", "with changes", "~", "cyan", 8, 0, 2, is_good=True, is_looking=True),
    Outcome.APPLIED: Traits("applied", "applied", "✓", "green", 9, is_good=True),
    Outcome.DESTROYED: Traits("destroyed", "destroyed", "✓", "green", 10, is_good=True),
    Outcome.NO_CHANGES: Traits("no changes", "without changes", "=", "green", 11, is_good=True, is_looking=True),
}


def ordered(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return the outcomes, the most important ones first."""
    return sorted(outcomes, key=lambda outcome: outcome.traits.order)


def exit_code(outcomes: Iterable[Outcome], *, detailed: bool = False, stopped_by: int = 0) -> int:
    """Return the exit code of a run, whatever the order of its units (130/143, then 1, 5, 4, 3, 2, 0)."""
    if stopped_by:
        return 128 + stopped_by
    rows = [outcome.traits for outcome in ordered(set(outcomes))]
    codes = [row.exit_code or (row.exit_changes if detailed else 0) for row in rows]
    return next((code for code in codes if code), 0)
