"""What each unit's outputs will be, for the units that take them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from ngp.runs.preview import Offer
from ngp.runs.units import Wire
from ngp.terraform.plans import Plan
from ngp.terraform.states import State

Outputs = Mapping[str, Offer]
UNKNOWN = Offer()


class Offers:
    """Filled while a run plans; safe to share between threads.

    `read` gives the state of a unit that the run is not about, `plan` what such a unit's own plan would offer.
    """

    def __init__(self, read: Callable[[str], State | None], plan: Callable[[str], Outputs]) -> None:
        self._read, self._plan = read, plan
        self._planned: dict[str, Outputs] = {}
        self._states: dict[str, Outputs] = {}
        self._lock = threading.RLock()  # planning a unit that is not part of the run asks here again

    def put(self, unit: str, plan: Plan | None) -> None:
        """Take over a unit's planned outputs; None for a unit that could not be planned."""
        with self._lock:
            self._planned[unit] = of(plan)

    def get(self, wire: Wire) -> Offer:
        """The offer at the other end of a wire: of the upstream's plan, else of its state, else unknown."""
        unit, output = wire.origin.unit, wire.origin.output
        with self._lock:
            if unit in self._planned:
                return self._planned[unit].get(output, UNKNOWN)
            stands = self._stands(unit)
            if output in stands or not stands:
                return stands.get(output, UNKNOWN)
            # It is null, or it was never made: the state does not tell, a plan does. Of a plan that this run does not
            # apply nothing but its nulls will be there.
            nulls = {name: offer for name, offer in self._plan(unit).items() if _is_null(offer)}
            self._planned[unit] = nulls | dict(stands)
            return self._planned[unit].get(output, UNKNOWN)

    def is_null(self, wire: Wire) -> bool:
        """Whether the output at the other end of a wire is known to be null."""
        return _is_null(self.get(wire))

    def _stands(self, unit: str) -> Outputs:
        if unit not in self._states:
            state = self._read(unit)
            found = state.outputs if state else {}
            self._states[unit] = {
                name: Offer(one.value, unknown=False, sensitive=one.sensitive) for name, one in found.items()
            }
        return self._states[unit]


def of(plan: Plan | None) -> Outputs:
    """What a plan offers. An output that is null stands in it; one that does not was not looked at (``-target``)."""
    return {} if plan is None else {name: Offer.of(change) for name, change in plan.outputs.items()}


def _is_null(offer: Offer) -> bool:
    return offer.value is None and offer.unknown is False
