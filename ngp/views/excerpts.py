"""How much of many things a person is shown: one rule for every view, so that 10,000 units are still read.

Up to MOST are shown one by one. Of more, those that matter most come first, what is as it should be is only counted,
and what waits for a person is named up to ten times MOST. `--all` and `--json` leave nothing out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ngp.views import terminal

MOST = 40
URGENT = 0  # the rank of things that are always named
T = TypeVar("T")
Rank = Callable[[T], int | None]  # low numbers first; None is never shown among many


@dataclass(frozen=True)
class Excerpt(Generic[T]):
    """`shown` in the order of ranks, else in their own order; `rest` is the number of others."""

    shown: tuple[T, ...]
    rest: int

    def more(self, things: str, shown_by: str = "--all or --json shows them") -> str:
        """Return ``… and 9,960 more units (…)`` for what is left out, "" if nothing is.

        `things` begins with a plural; of one thing, its ``s`` goes.
        """
        head, blank, tail = things.partition(" ")
        number = terminal.amount(self.rest, f"more {head.removesuffix('s')}")
        return f"… and {number}{blank}{tail} ({shown_by})" if self.rest else ""


def is_big(number: int) -> bool:
    """Whether these are too many to show one by one."""
    return number > MOST


def pick(things: Iterable[T], rank: Rank[T] = lambda _: 1, *, whole: bool = False) -> Excerpt[T]:
    """Return the things to show; with `whole` (`--all`) every one, in order."""
    found = tuple(things)
    if whole or not is_big(len(found)):
        return Excerpt(found, 0)
    ranked = [(place, thing) for thing in found if (place := rank(thing)) is not None]
    ranked.sort(key=lambda pair: pair[0])
    urgent = sum(place == URGENT for place, _ in ranked)
    room = max(MOST, min(urgent, 10 * MOST))
    shown = tuple(thing for _, thing in ranked[:room])
    return Excerpt(shown, len(found) - len(shown))
