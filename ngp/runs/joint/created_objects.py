"""Objects that an apply may have created although no state contains them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from ngp.terraform import events

# The call was interrupted, by Terraform or by a crash of its provider: AWS may have completed it
_CUT_OFF = re.compile(r"^(?:Plugin did not respond|Request cancelled)$|\bcontext canceled\b")


class CreatedObjects:
    """Follows the creations that Terraform reports.

    A creation that started and did not end may have made its object, and so may one that failed without an answer of
    the cloud. Terraform reports the reason only at its end, so after a kill it stays unknown.
    """

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._done: set[str] = set()

    def take(self, event: events.Event) -> None:
        """Process an event. Events must come in Terraform's order."""
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


def read(lines: Iterable[str]) -> CreatedObjects:
    """Return the created objects in the output of an apply."""
    created = CreatedObjects()
    for line in lines:
        created.take(events.parse(line))
    return created
