"""The units of an environment, with everything that a run needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.catalogue.types import Type
from ngp.environments import state_locations
from ngp.environments.binding import ValueSource
from ngp.environments.environment import OutputRef, StateKind, StateMode
from ngp.errors import UsageError, nearest
from ngp.state import locations

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved

SINGLE = "root"  # the one unit of an environment whose state is `single`


@dataclass(frozen=True)
class Wire:
    """An input that is fed by an upstream output, with the type that its module declares."""

    name: str
    type: Type
    origin: OutputRef


@dataclass(frozen=True)
class Unit:
    """A unit. `sources` maps each module block in the root to its folder (one, or all with `state: single`).

    With a pinned catalogue these are the rendered copies, which the committed root calls too.
    """

    name: str
    module: str
    root: Path
    place: locations.StateLocation
    sources: Mapping[str, Path]
    wires: tuple[Wire, ...] = ()
    secrets: Mapping[str, str] = ()  # type: ignore[assignment]  # root variable → reference

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(wire.origin.unit for wire in self.wires)


def collect(resolved: Resolved) -> dict[str, Unit]:
    """Return all units of an environment; with `state: single` the one root that contains them all."""
    environment = resolved.environment
    if environment.state is StateMode.SINGLE:
        secrets = {
            f"{unit}__{name}": ref for unit in environment.units for name, ref in _secrets(resolved, unit).items()
        }
        sources = {name: _source(resolved, name) for name in environment.units}
        return {SINGLE: Unit(SINGLE, "", environment.root(SINGLE), place(resolved, SINGLE), sources, (), secrets)}
    return {
        name: Unit(
            name,
            choice.module,
            environment.root(name),
            place(resolved, name),
            {name: _source(resolved, name)},
            _wires(resolved, name),
            _secrets(resolved, name),
        )
        for name, choice in environment.units.items()
    }


def require_known(names: tuple[str, ...], resolved: Resolved) -> None:
    """Raise UsageError for names that are not units of the environment."""
    for name in names:
        if name not in resolved.environment.units:
            raise UsageError(
                f"`{resolved.environment.name}` has no unit `{name}`",
                todo=nearest(name, resolved.environment.units),
            )


def _wires(resolved: Resolved, unit: str) -> tuple[Wire, ...]:
    module = resolved.catalogue.modules[resolved.environment.units[unit].module]
    return tuple(
        Wire(name, module.variables[name].type, binding.wire)
        for name, binding in sorted(resolved.bindings[unit].inputs.items())
        if binding.source is ValueSource.WIRE and binding.wire is not None
    )


def _secrets(resolved: Resolved, unit: str) -> dict[str, str]:
    inputs = resolved.bindings[unit].inputs
    return {name: binding.value for name, binding in inputs.items() if binding.source is ValueSource.SECRET}


def _source(resolved: Resolved, unit: str) -> Path:
    module = resolved.catalogue.modules[resolved.environment.units[unit].module]
    return resolved.environment.path / "modules" / module.name if resolved.environment.catalogue else module.path


def any_place(resolved: Resolved) -> locations.StateLocation:
    """Return the location of one of the environment's states; files about all of them are stored beside it."""
    return place(resolved, next(iter(resolved.environment.units), SINGLE))


def bucket_place(resolved: Resolved) -> locations.StateLocation:
    """Return a location in the state bucket. Raises UsageError (64) if the platform keeps its state in files."""
    if resolved.platform.state is StateKind.LOCAL:
        raise UsageError("this platform keeps its state in files", why="ngp.yaml sets `state: local`")
    return place(resolved, SINGLE)


def place(resolved: Resolved, unit: str) -> locations.StateLocation:
    """Return the location of a unit's state."""
    return state_locations.locate(resolved.platform, resolved.environment, unit)
