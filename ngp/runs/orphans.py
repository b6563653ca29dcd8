"""Orphans: states that belong to no declared unit, who removed the unit, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.environments import history
from ngp.errors import MissingError, NgpError
from ngp.runs import moves, units
from ngp.runs.results import Orphan
from ngp.state import reading
from ngp.terraform import states

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.history import Removal
    from ngp.environments.resolving import Resolved
    from ngp.state.locations import StateLocation


def collect(
    resolved: Resolved, session: Session, listing: Mapping[str, StateLocation] | None = None
) -> tuple[Orphan, ...]:
    """Return the states below the environment's prefix that belong to no unit and contain resources, by name.

    Uses one `listing` of the prefix and one read per state. Raises MissingError if the states cannot be listed.
    """
    declared, beside = units.collect(resolved), _beside(resolved, session) if listing is None else listing
    found = {}
    for name, place in beside.items():
        if name not in declared:
            resources, problem = inspect(place, session)
            if resources or problem:
                found[name] = Orphan(name, str(place), resources, problem, environment=resolved.environment.name)
    gone = history.removals(resolved.platform, resolved.environment.name, found)
    stateless = {name: unit.module for name, unit in declared.items() if name not in beside}
    return tuple(_with_ways_out(resolved, orphan, gone.get(name), stateless) for name, orphan in sorted(found.items()))


def find(resolved: Resolved, session: Session) -> dict[str, StateLocation]:
    """Return the locations below the environment's prefix that belong to no unit, by name; including empty states."""
    declared = units.collect(resolved)
    return {name: place for name, place in _beside(resolved, session).items() if name not in declared}


def inspect(place: StateLocation, session: Session) -> tuple[int, str]:
    """Return the number of managed resources in a state, and why it cannot be read."""
    try:
        state = reading.load(place, session) or states.State()
    except MissingError:
        raise
    except NgpError as error:
        return 0, str(error)
    return sum(one.mode == "managed" for one in state.resources), ""


def _beside(resolved: Resolved, session: Session) -> dict[str, StateLocation]:
    return reading.beside(units.place(resolved, units.SINGLE), session)


def _with_ways_out(resolved: Resolved, orphan: Orphan, removal: Removal | None, stateless: Mapping[str, str]) -> Orphan:
    """Add who removed a unit, and how to destroy what is left or move it to the only new unit of its module."""
    name, unit = resolved.environment.name, "" if orphan.unit == units.SINGLE else f" {orphan.unit}"
    heirs = [each for each, module in stateless.items() if removal and module and module == removal.module]
    if len(heirs) == 1:
        orphan = replace(
            orphan, heir=heirs[0], move=moves.steps(resolved, orphan.unit, units.collect(resolved)[heirs[0]])
        )
    if removal is not None and removal.commit:
        checkout = f"git switch --detach {removal.commit}~1"
        todo = f"{checkout} && ngp destroy {name}{unit}; then git switch -"
        return replace(orphan, todo=todo, commit=removal.commit, date=removal.date, subject=removal.subject)
    file = resolved.environment.where("units")
    why = "its removal is not committed" if removal else "no commit in this clone removed it"
    return replace(orphan, todo=f"{why}: put it back into {file}, then ngp render {name} && ngp destroy {name}{unit}")
