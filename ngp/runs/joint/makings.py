"""What an apply may have made although no state has it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ngp.terraform import events

# The call was cut off, by Terraform or because its provider died: the cloud may have done it all the same
_CUT_OFF = re.compile(r"^(?:Plugin did not respond|Request cancelled)$|\bcontext canceled\b")


class Makings:
    """Follows what Terraform says of the objects that it creates.

    A creation that began and did not end may have made its object, and so may one that failed without an answer of
    the cloud. Terraform says why it failed only at its end: where it was killed before, nobody knows.
    """

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._done: set[str] = set()

    def take(self, event: events.Event) -> None:
        """Take note of an event, in the order in which Terraform told them."""
        match event:
            case events.ResourceStarted(address, "create"):
                self._begun.add(address)
            case events.ResourceDone(address, "create", _):
                self._done.add(address)
            case events.Diagnostic("error", summary, detail, address) if address:
                if not _CUT_OFF.search(summary) and not _CUT_OFF.search(detail):
                    self._begun.discard(address)

    def unknown(self, known: Collection[str]) -> tuple[str, ...]:
        """The addresses whose objects may exist and are not `known`, sorted."""
        return tuple(sorted((self._begun | self._done).difference(known)))


def read(lines: Iterable[str]) -> Makings:
    """Return what the output of an apply tells."""
    makings = Makings()
    for line in lines:
        makings.take(events.parse(line))
    return makings
