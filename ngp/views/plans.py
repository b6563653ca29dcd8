"""Shows the plan of one unit: unknown inputs, every change with its attributes, and changed outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.runs.results import Outcome, UnitResult
from ngp.views import attributes, changes, terminal
from ngp.views.attribute_lines import AttributeLine

if TYPE_CHECKING:
    from rich.console import Console

_CHANGES, _FEWEST_CHANGES = 200, 10  # of a run, and what each unit gets of them at least
_LINES, _FEWEST_LINES = 2000, 50  # of attributes
_STYLES = {"+": "green", "-": "red", "~": "yellow"}
_DEPTH = 7  # blanks before an attribute


@dataclass(frozen=True)
class DetailLimits:
    """How many changes and lines of attributes of a unit are shown."""

    changes: int
    lines: int

    @classmethod
    def shared(cls, units: int) -> DetailLimits:
        """Return the limits for each of `units` units."""
        number = max(units, 1)
        return cls(max(_CHANGES // number, _FEWEST_CHANGES), max(_LINES // number, _FEWEST_LINES))


def is_worth(unit: UnitResult) -> bool:
    """Whether there is anything to show of a unit."""
    return bool(unit.changes or unit.outputs or unit.unknowns) or unit.outcome is Outcome.DEFERRED


def amount(unit: UnitResult) -> str:
    """Return ``+3 ~1``, or the word of the outcome."""
    return changes.summary(unit.counts) or unit.outcome.word


def show(unit: UnitResult, console: Console, room: DetailLimits | None = None) -> None:
    """Print the plan of a unit; all of it without `room`."""
    kind = ", a preview" if unit.is_preview else ""
    _print(console, f"{unit.unit} (wave {unit.wave}{kind}): {amount(unit)}", "bold")
    if unit.outcome is Outcome.DEFERRED:
        _print(console, f"    deferred: {unit.reason}", "yellow")
    for line in changes.unknowns(unit):
        _print(console, f"    unknown: {line}", "cyan")
    shown, more = (unit.changes, "") if room is None else changes.shorten(unit.changes, room.changes)
    left, cut = room.lines if room else 0, 0
    for change in shown:
        _print(console, f"  {changes.describe(change)}", changes.STYLES.get(change.action, ""))
        lines = attributes.lines(change, whole=room is None)
        if room is not None and len(lines) > left:
            left, cut = 0, cut + 1
            continue
        left -= len(lines)
        _print_lines(console, lines)
    if cut:
        _print(console, f"    # (the attributes of {terminal.amount(cut, 'resource')}; --all shows them)", "dim")
    if more:
        _print(console, f"    {more}", "dim")
    outputs = attributes.outputs(unit.outputs, whole=room is None)
    if outputs:
        _print(console, "  outputs:", "bold")
        _print_lines(console, outputs)
    console.print()


def _print_lines(console: Console, lines: Sequence[AttributeLine]) -> None:
    for line in lines:
        _print(console, f"{' ' * _DEPTH}{line}", _STYLES.get(line.mark, "dim"))


def _print(console: Console, text: str, style: str) -> None:
    console.print(terminal.line(text, style=style), soft_wrap=True)
