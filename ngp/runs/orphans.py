"""States that belong to no declared unit: what they hold, who removed the unit, and how to destroy what is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.environments import history
from ngp.errors import MissingError, NgpError
from ngp.runs import units
from ngp.runs.results import Orphan
from ngp.state import reading
from ngp.terraform import states

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.history import Removal
    from ngp.environments.resolving import Resolved
    from ngp.state.places import StatePlace


def collect(resolved: Resolved, session: Session) -> tuple[Orphan, ...]:
    """Return the states below the environment's prefix that belong to no unit of it and hold resources, by name.

    One listing, and one read for each state that is found. Raises MissingError where the states cannot be listed.
    """
    found = {}
    for name, place in find(resolved, session).items():
        resources, problem = _look(place, session)
        if resources or problem:
            found[name] = (place, resources, problem)
    gone = history.removals(resolved.platform, resolved.environment.name, found)
    return tuple(
        _orphan(resolved, Orphan(name, str(place), resources, problem), gone.get(name))
        for name, (place, resources, problem) in sorted(found.items())
    )


def find(resolved: Resolved, session: Session) -> dict[str, StatePlace]:
    """Return the places below the environment's prefix, by name, that belong to no unit; empty states count too."""
    declared = units.collect(resolved)
    beside = reading.beside(units.place(resolved, units.SINGLE), session)
    return {name: place for name, place in beside.items() if name not in declared}


def _look(place: StatePlace, session: Session) -> tuple[int, str]:
    """Return how many managed resources a state holds, and why it cannot be read."""
    try:
        text = reading.read(place, session)
        state = states.parse(text, where=str(place)) if text else states.State()
    except MissingError:
        raise
    except NgpError as error:
        return 0, str(error)
    return sum(one.mode == "managed" for one in state.resources), ""


def _orphan(resolved: Resolved, orphan: Orphan, removal: Removal | None) -> Orphan:
    name, unit = resolved.environment.name, "" if orphan.unit == units.SINGLE else f" {orphan.unit}"
    if removal is not None and removal.commit:
        checkout = f"git switch --detach {removal.commit}~1"
        todo = f"{checkout} && ngp destroy {name}{unit}; then git switch -"
        return replace(orphan, todo=todo, commit=removal.commit, date=removal.date, subject=removal.subject)
    file = resolved.environment.where("units")
    why = "its removal is not committed" if removal else "no commit that is here removed it"
    return replace(orphan, todo=f"{why}: put it back into {file}, then ngp render {name} && ngp destroy {name}{unit}")
