"""Expected outputs of upstream units, for the units that use them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ngp.runs.preview import ExpectedOutput
from ngp.runs.units import Wire
from ngp.terraform.plans import Plan
from ngp.terraform.states import State

Outputs = Mapping[str, ExpectedOutput]
UNKNOWN = ExpectedOutput()


class ExpectedOutputs:
    """Expected outputs by unit, filled during planning. Thread-safe.

    `read` returns the state of a unit outside of the run. `plan` returns the expected outputs of such a unit, for
    outputs that its state lacks.
    """

    def __init__(self, read: Callable[[str], State | None], plan: Callable[[str, Sequence[str]], Outputs]) -> None:
        self._read, self._plan = read, plan
        self._planned: dict[str, Outputs] = {}
        self._states: dict[str, Outputs] = {}
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()  # protects the tables; never held while a state is read or a unit planned

    def put(self, unit: str, plan: Plan | None) -> None:
        """Store a unit's planned outputs; None if it could not be planned."""
        with self._lock:
            self._planned[unit] = of(plan)

    def learn(self, wires: Iterable[Wire]) -> None:
        """Plan the upstream units whose states lack an output that these wires use, each once.

        The output may be null or not exist yet; only a plan shows which. This run does not apply that plan, so only its
        nulls count.
        """
        lacking: dict[str, list[str]] = {}
        for wire in wires:
            if self._is_lacking(wire):
                lacking.setdefault(wire.origin.unit, []).append(wire.origin.output)
        for unit, outputs in lacking.items():
            with self._lock:
                turn = self._turns[unit]
            with turn:  # another thread may need the same unit
                if unit not in self._planned:
                    nulls = {name: output for name, output in self._plan(unit, outputs).items() if _is_null(output)}
                    stands = self._stands(unit)
                    with self._lock:
                        self._planned.setdefault(unit, {**nulls, **stands})

    def get(self, wire: Wire) -> ExpectedOutput:
        """Return the output that a wire uses: from the upstream's plan, else from its state, else unknown."""
        unit, output = wire.origin.unit, wire.origin.output
        with self._lock:
            planned = self._planned.get(unit)
        return (self._stands(unit) if planned is None else planned).get(output, UNKNOWN)

    def is_null(self, wire: Wire) -> bool:
        """Return whether the output that a wire uses is known to be null."""
        return _is_null(self.get(wire))

    def _is_lacking(self, wire: Wire) -> bool:
        """Whether the upstream unit has no plan, and a state without that output."""
        with self._lock:
            if wire.origin.unit in self._planned:
                return False
        stands = self._stands(wire.origin.unit)
        return bool(stands) and wire.origin.output not in stands

    def _stands(self, unit: str) -> Outputs:
        with self._lock:
            if unit in self._states:
                return self._states[unit]
        state = self._read(unit)
        found = {
            name: ExpectedOutput(one.value, unknown=False, sensitive=one.sensitive)
            for name, one in (state.outputs if state else {}).items()
        }
        with self._lock:
            return self._states.setdefault(unit, found)


def of(plan: Plan | None) -> Outputs:
    """Return the outputs of a plan, including null ones. A missing one was not planned (``-target``)."""
    return {} if plan is None else {name: ExpectedOutput.of(change) for name, change in plan.outputs.items()}


def _is_null(output: ExpectedOutput) -> bool:
    return output.value is None and output.unknown is False
