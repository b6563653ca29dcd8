"""Show what a change affects: as talk before a command acts on it, or as the data that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.review.affected import Affected

_LINES = 50  # said before acting; the JSON document has all


def show(found: Affected, settings: Settings) -> None:
    """A line for each affected and each removed unit on stdout; where there is none, one line of talk."""
    out = terminal.out(settings)
    for line in _lines(found):
        out.print(terminal.line(line), soft_wrap=True)
    if not (found.units or found.removed):
        terminal.say(settings, _head(found))


def tell(found: Affected, settings: Settings) -> None:
    """The same on stderr, under a line that says what it was compared with; long lists are cut."""
    terminal.say(settings, _head(found), style="bold")
    lines = list(_lines(found))
    for line in lines[:_LINES]:
        terminal.say(settings, f"  {line}")
    if len(lines) > _LINES:
        terminal.say(settings, f"  and {len(lines) - _LINES} more: ngp env affected")


def _head(found: Affected) -> str:
    since = f"since {found.commit[:8]} ({found.name})"
    return (
        f"{terminal.amount(len(found.units), 'unit')} affected {since}" if found.units else f"nothing affected {since}"
    )


def _lines(found: Affected) -> Iterator[str]:
    for unit in (*found.units, *found.removed):
        yield f"{unit.environment} {unit.unit}: {'; '.join(reason.text for reason in unit.reasons)}"
