"""Detects copies of one state in two environments, either of which would change or destroy the other's resources."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.environments import documents
from ngp.errors import Finding, NgpError, RefusedError
from ngp.runs import ownership, units
from ngp.runs.results import Verb
from ngp.state import reading

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved
    from ngp.runs.context import RunContext
    from ngp.runs.units import Unit
    from ngp.state.locations import StateLocation
    from ngp.terraform.states import State

_LINEAGE = re.compile(r'"lineage":\s*"([^"]*)"')


def require(context: RunContext, unit: Unit, state: State) -> None:
    """Raise RefusedError (3) for a state that belongs to another unit or environment."""
    ownership.require_own(unit, state)
    whole = context.request.verb is Verb.DESTROY
    require_single(context.resolved, context.access.session, unit, state, whole=whole)


def require_single(resolved: Resolved, session: Session, unit: Unit, state: State, *, whole: bool = False) -> None:
    """Raise RefusedError (3) if another environment of the platform has the same state, by its lineage.

    The state belongs to the other one if its resources are tagged for it. Local states are always compared. States in
    S3 cost a call each, so only those of environments that the tags name are compared, unless `whole`.
    """
    name = resolved.environment.name
    if not state.lineage or not state.resources or (name in state.tagged and not whole):
        return
    for other, place in _elsewhere(resolved, unit):
        if place.path is None and not whole and other not in state.tagged:
            continue
        if _lineage(place, session) == state.lineage:
            raise RefusedError([_finding(unit, state, other, place, is_own=name in state.tagged)])


def collect(resolved: Resolved, session: Session, known: Collection[Finding] = ()) -> list[Finding]:
    """Return the problems that `require_single` would raise for all units of an environment.

    States that cannot be read are left out, and so are problems that `known` reports for the other environment.
    """
    found: list[Finding] = []
    named = {each.what.rpartition(": ")[2] for each in known}
    for unit in units.collect(resolved).values():
        try:
            state = reading.load(unit.place, session)
            if state and str(unit.place) not in named:
                require_single(resolved, session, unit, state, whole=True)
        except RefusedError as error:
            found += error.findings
        except NgpError:
            continue
    return found


def _elsewhere(resolved: Resolved, unit: Unit) -> Iterator[tuple[str, StateLocation]]:
    """Yield the locations of a unit of this name in the other environments of the same store."""
    place = unit.place
    for other in documents.names(resolved.platform):
        if other == resolved.environment.name:
            continue
        if place.path is not None:
            yield other, replace(place, path=place.path.parent.parent / other / place.path.name)
        else:
            top, _, file = place.key.split("/")
            yield other, replace(place, key=f"{top}/{other}/{file}")


def _lineage(place: StateLocation, session: Session) -> str:
    found = _LINEAGE.search(reading.read(place, session) or "")
    return found[1] if found else ""


def _finding(unit: Unit, state: State, other: str, place: StateLocation, *, is_own: bool) -> Finding:
    own, theirs = _removal(unit.place), _removal(place)
    if is_own:
        todo = f"its resources are this environment's, so the other one is the copy: {theirs}"
    elif other in state.tagged:
        todo = f"its resources are tagged for `{other}`, so this is the copy: {own}"
    else:
        todo = f"find out which one is the copy, and delete it: {own}, or {theirs}"
    what = f"the state of `{unit.name}` is the state of `{other}`, too: {place}"
    why = f"both have the lineage {state.lineage}, so a run of one would change or destroy what the other owns"
    return Finding(what, str(unit.place), why, todo)


def _removal(place: StateLocation) -> str:
    return f"mv {place} {place}.copy" if place.path else f"aws s3 mv {place} {place}.copy"
