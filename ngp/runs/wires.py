"""Upstream outputs as a var file of a unit: wired.auto.tfvars.json, written before a run and ignored by Git."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ngp import files
from ngp.errors import Finding, NgpError
from ngp.rendering import exact
from ngp.runs.units import Unit, Wire
from ngp.terraform.states import State, StateOutput

FILE = "wired.auto.tfvars.json"

Read = Callable[[str], State | None]  # gives a unit's state
IsNull = Callable[[Wire], bool]


def put(unit: Unit, read: Read, is_null: IsNull = lambda _: True) -> bool:
    """Write the values of a unit's wires into its root; return whether the file changed.

    Raises NgpError if a value does not exist yet.
    """
    return write(unit, values(unit, read, is_null))


def write(unit: Unit, found: Mapping[str, Any]) -> bool:
    """Write these values of a unit's wires into its root; return whether the file changed."""
    return bool(unit.wires) and files.write(unit.root / FILE, exact.dump(found), mode=0o600)


def values(unit: Unit, read: Read, is_null: IsNull = lambda _: True) -> dict[str, Any]:
    """Return the value of each wired input, from the states of its upstream units.

    Terraform leaves null outputs out of the state, like those that were never made: `is_null` says which one it is. An
    empty state has no values.
    """
    states = {name: read(name) for name in sorted(unit.needs)}
    found: dict[str, Any] = {}
    missing = []
    for wire in unit.wires:
        output = _output(states[wire.origin.unit], wire, is_null)
        if output is None:
            missing.append(
                Finding(
                    f"`{wire.name}` of `{unit.name}` uses {wire.origin}, which does not exist yet",
                    todo=f"apply `{wire.origin.unit}` first",
                )
            )
        elif output.sensitive:
            what = f"{wire.origin} is sensitive, so ngp does not pass it on"
            missing.append(Finding(what, todo="wire the ARN of its secret instead"))
        else:
            found[wire.name] = output.value
    if missing:
        raise NgpError(missing)
    return found


def _output(state: State | None, wire: Wire, is_null: IsNull) -> StateOutput | None:
    if state is None or not (state.outputs or state.resources):
        return None
    if wire.origin.output in state.outputs:
        return state.outputs[wire.origin.output]
    return StateOutput(None) if is_null(wire) else None
