"""Locks of states, for people and programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngp.runs.locking import LockedState

_WORDS = {True: "alive", False: "dead", None: "unknown"}


def lines(environment: str, locks: Sequence[LockedState]) -> Iterator[str]:
    """Yield lines about each lock: its holder, whether that is alive, and how to continue."""
    if not locks:
        yield f"{environment}: no state is locked"
    for one in locks:
        yield f"{one.unit}: locked by {one.holder}"
        yield f"  holder: {_WORDS[one.lives]}; {one.because}"
        if not one.lives:
            yield f"  release: {release_command(environment, one.unit)}"


def document(environment: str, locks: Sequence[LockedState], command: str = "locks") -> dict[str, Any]:
    """Return the document of a command's ``--json``; `release` is "" while the holder lives."""
    return {
        "schema": f"ngp.{command}/1",
        "environment": environment,
        "locks": [
            {
                "unit": one.unit,
                "state": str(one.place),
                "id": one.holder.id,
                "who": one.holder.who,
                "operation": one.holder.operation,
                "created": one.holder.created,
                "holder": _WORDS[one.lives],
                "because": one.because,
                "release": "" if one.lives else release_command(environment, one.unit),
            }
            for one in locks
        ],
    }


def release_command(environment: str, unit: str) -> str:
    """Return the command that releases a lock."""
    return f"ngp unlock {environment} {unit}"
