"""Show the results of units as one table that fits the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngp.runs.results import Counts, UnitResult
from ngp.views import terminal

if TYPE_CHECKING:
    from rich.console import Console

_REASON = 40  # columns that a reason needs in the table; with fewer, the reasons stand below it


def show(units: Sequence[UnitResult], console: Console) -> None:
    """Print unit, result, counts and time of each unit, and the reason of its outcome."""
    from rich.table import Table

    symbols = [*"+~-±", *(["forget"] if any(unit.counts.forget for unit in units) else [])]
    rows = [_cells(unit, len(symbols)) for unit in units]
    names = ["unit", "result", *symbols, "time"]
    used = sum(max(len(name), *(len(row[at]) for row in rows)) for at, name in enumerate(names))
    gap = 2 if used + 2 * len(names) <= console.width else 1
    reason = min(_REASON, max(len(unit.reason) for unit in units))
    is_beside = 0 < reason <= console.width - used - gap * len(names)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for name in names:
        is_word = name in ("unit", "result")
        table.add_column(name, justify="left" if is_word else "right", overflow="fold", no_wrap=name != "unit")
    if is_beside:
        table.add_column("reason", overflow="fold")
    for unit, row in zip(units, rows, strict=True):
        name, word, *rest = map(terminal.line, row)
        word.stylize(unit.outcome.traits.style)
        table.add_row(name, word, *rest, *([terminal.line(unit.reason)] if is_beside else []))
    console.print(table)
    for unit in units:
        if unit.reason and not is_beside:
            console.print(terminal.line(f"{unit.unit}: {unit.reason}"))


def _cells(unit: UnitResult, symbols: int) -> list[str]:
    numbers = [str(number) if number else "" for number in _numbers(unit.counts)[:symbols]]
    return [unit.unit, unit.outcome.word, *numbers, terminal.duration(unit.duration_s)]


def _numbers(counts: Counts) -> tuple[int, ...]:
    return counts.create, counts.update, counts.delete, counts.replace, counts.forget
