"""Shows what a change affects: on stderr before a command acts, or on stdout as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngp.settings import Settings
from ngp.views import excerpts, terminal

if TYPE_CHECKING:
    from ngp.review.affected import Affected, AffectedUnit


def show(found: Affected, settings: Settings, *, whole: bool = False) -> None:
    """Print a line for each affected and each removed unit on stdout; if there is none, a note on stderr."""
    out, digest = terminal.out(settings), _pick(found, whole=whole)
    for unit in digest.shown:
        out.print(terminal.line(_line(unit)), soft_wrap=True)
    if digest.rest:
        out.print(terminal.line(digest.more("units")), soft_wrap=True)
    if not (found.units or found.removed):
        terminal.say(settings, _head(found))


def print_summary(found: Affected, settings: Settings) -> None:
    """Print the same on stderr, after a line with the compared commit."""
    terminal.say(settings, _head(found), style="bold")
    digest = _pick(found, whole=False)
    for unit in digest.shown:
        terminal.say(settings, f"  {_line(unit)}")
    if digest.rest:
        terminal.say(settings, f"  {digest.more('units', 'ngp env affected --all shows them')}")


def _pick(found: Affected, *, whole: bool) -> excerpts.Excerpt[AffectedUnit]:
    """Of many, the removed ones and those that the change itself is about; who takes of them is counted."""

    def rank(unit: AffectedUnit) -> int | None:
        if not unit.module:
            return excerpts.URGENT
        return 1 if unit.is_direct else None

    return excerpts.pick((*found.units, *found.removed), rank, whole=whole)


def _head(found: Affected) -> str:
    since = f"since {found.commit[:8]} ({found.name})"
    return (
        f"{terminal.amount(len(found.units), 'unit')} affected {since}" if found.units else f"nothing affected {since}"
    )


def _line(unit: AffectedUnit) -> str:
    return f"{unit.environment} {unit.unit}: {'; '.join(reason.text for reason in unit.reasons)}"
