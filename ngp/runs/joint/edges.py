"""Edges of the last apply: which units were applied with outputs of which others, for the order of destruction.

The wiring describes the next apply. Existing resources were made with the wiring before, and Terraform drops
dependencies on other units from a unit's own state. So every apply stores its edges in ``graph.json`` beside the
states, where other machines find them too: ``{"v": 1, "needs": {UNIT: [UNIT, …]}}``. One object for all units costs one
read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ngp.errors import MissingError, NgpError, StaleError
from ngp.rendering import exact
from ngp.runs import graph
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.graph import Needs
from ngp.runs.joint import choosing
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.runs.units import SINGLE
from ngp.state import storing
from ngp.state.locations import StateLocation

FILE = "graph.json"
_VERSION = 1
_ATTEMPTS = 5  # another run of other units may write concurrently

Change = Callable[[dict[str, frozenset[str]]], None]


def load(context: RunContext) -> Needs:
    """Return what the units needed at their last apply. Raises NgpError for a file that ngp did not write."""
    if SINGLE in context.units or not context.units:
        return {}
    try:
        place = _place(context)
        return parse(storing.fetch(place, context.access.session).text, where=str(place))
    except MissingError as error:
        text = "cannot read the dependencies of the last apply, so ngp orders units by the wiring alone"
        context.emit(Note(f"{text}: {error}"))
        return {}


def parse(text: str, *, where: str) -> Needs:
    """Parse the file's text; "" means that there is none yet."""
    if not text:
        return {}
    try:
        document = json.loads(text)
        found = {str(unit): frozenset(map(str, needs)) for unit, needs in document["needs"].items()}
        version = document["v"]
    except (ValueError, KeyError, TypeError, AttributeError):
        version = None
    if version != _VERSION:
        raise NgpError(
            "this is not the graph of the last apply",
            where=where,
            why="it records which unit uses which, and so the order in which units are destroyed",
            todo="restore an earlier version, or delete it: then ngp uses the wiring alone",
        )
    return found


def combine(wiring: Needs, stored: Needs) -> dict[str, frozenset[str]]:
    """Return both graphs in one, without stored edges that would close a cycle with the wiring."""
    found = dict(wiring)
    for unit in sorted(stored):
        for needed in sorted(stored[unit]):
            if needed != unit and needed not in found.get(unit, ()) and needed not in graph.dependants(found, [unit]):
                found[unit] = found.get(unit, frozenset()) | {needed}
                found.setdefault(needed, frozenset())
    return found


def begin(context: RunContext, names: Collection[str]) -> None:
    """Add the wiring of units that are about to be applied to their stored edges."""

    def add(stored: dict[str, frozenset[str]]) -> None:
        for name in names:
            stored[name] = stored.get(name, frozenset()) | context.units[name].needs

    _change(context, add)


def settle(context: RunContext, results: Mapping[str, UnitResult]) -> None:
    """Store what the units of a run need from now on: their wiring if they were applied completely, nothing if they
    were destroyed. A unit that is half applied keeps both, old and new edges."""
    if context.request.options.targets:
        return

    def take(stored: dict[str, frozenset[str]]) -> None:
        for name, result in results.items():
            if result.outcome is Outcome.APPLIED:
                stored[name] = context.units[name].needs
            elif result.outcome is Outcome.DESTROYED:
                stored.pop(name, None)

    _change(context, take)


def _change(context: RunContext, change: Change) -> None:
    """Change the file, and retry while others change it, too. Errors are emitted, and do not stop the run."""
    if SINGLE in context.units or not context.units:
        return
    place, session = _place(context), context.access.session.steady()
    unit = next(iter(context.units.values()))
    encryption = choosing.encryption(unit, is_own_template=choosing.has_own_versions(context))
    try:
        for attempt in range(1, _ATTEMPTS + 1):
            before = storing.fetch(place, session)
            needs = dict(parse(before.text, where=str(place)))
            change(needs)
            text = _dump(needs)
            if text == (before.text or _dump({})):
                return
            try:
                storing.store(place, session, text, before.version, encryption)
            except StaleError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                return
    except (NgpError, OSError) as error:
        text = "cannot save the dependencies of this apply, so later runs order units by the wiring alone"
        context.emit(Note(f"{text}: {error}"))


def _dump(needs: Needs) -> str:
    return exact.dump({"v": _VERSION, "needs": {unit: sorted(needs[unit]) for unit in sorted(needs)}})


def _place(context: RunContext) -> StateLocation:
    """Return the location of the file, beside the states."""
    place = next(iter(context.units.values())).place
    if place.path is not None:
        return replace(place, path=place.path.with_name(FILE))
    return replace(place, key=f"{place.key.rpartition('/')[0]}/{FILE}")
