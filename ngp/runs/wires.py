"""Upstream outputs as a unit's var file: wired.auto.tfvars.json, written before a run and ignored by Git."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ngp import files
from ngp.errors import Finding, NgpError
from ngp.rendering import exact
from ngp.runs.units import Unit
from ngp.terraform.states import State, StateOutput

FILE = "wired.auto.tfvars.json"


def put(unit: Unit, read: Callable[[str], State | None]) -> bool:
    """Write the real values of a unit's wires beside its root; returns whether the file changed.

    `read` gives a unit's state. Raises NgpError where a value is not to be had yet.
    """
    if not unit.wires:
        return False
    return files.write(unit.root / FILE, exact.dump(values(unit, read)), mode=0o600)


def values(unit: Unit, read: Callable[[str], State | None]) -> dict[str, Any]:
    """The value of each wired input, from the states of its upstream units."""
    states = {name: read(name) for name in sorted(unit.needs)}
    found: dict[str, Any] = {}
    missing = []
    for wire in unit.wires:
        state = states[wire.origin.unit]
        # Terraform leaves an output that is null out of the state
        output = state.outputs.get(wire.origin.output, StateOutput(None)) if state else None
        if output is None:
            missing.append(
                Finding(
                    f"`{wire.name}` of `{unit.name}` takes {wire.origin}, which is not there yet",
                    todo=f"apply `{wire.origin.unit}` first",
                )
            )
        elif output.sensitive:
            missing.append(Finding(f"{wire.origin} is sensitive and is not handed on", todo="wire its secret's ARN"))
        else:
            found[wire.name] = output.value
    if missing:
        raise NgpError(missing)
    return found
