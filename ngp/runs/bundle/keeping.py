"""Where a platform keeps bundles, and notes which of them were applied: beside the states."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from ngp.errors import StaleError
from ngp.runs.context import RunContext
from ngp.state import storing
from ngp.state.places import StatePlace
from ngp.state.storing import Encryption

PREFIX = "bundles/"
APPLIED = ".applied"


def require_unused(context: RunContext, digest: str) -> None:
    """Raise StaleError (4) where the bundle was applied before, wherever that was."""
    found = storing.fetch(_note(context, digest), context.access.session)
    if found.text:
        raise _used(found.text)


def use(context: RunContext, digest: str) -> None:
    """Note that the bundle is being applied; of several machines one can. Raises StaleError (4) for all others."""
    text = json.dumps({"run": context.run_id, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")})
    place = _note(context, digest)
    if place.path is not None:
        place.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        storing.store(place, context.access.session, text, storing.ABSENT, Encryption())
    except StaleError:
        raise _used(storing.fetch(place, context.access.session).text) from None


def _note(context: RunContext, digest: str) -> StatePlace:
    """Where it is noted that a bundle was applied."""
    place = next(iter(context.units.values())).place
    name = f"{digest}{APPLIED}"
    if place.path is not None:
        return replace(place, path=place.path.parent / PREFIX / name)
    return replace(place, key=f"{PREFIX}{context.name}/{name}")


def _used(text: str) -> StaleError:
    said = json.loads(text)
    return StaleError(
        f"the bundle was applied already, by run {said['run']} at {said['at']}",
        why="a bundle is applied once",
        todo="make a new one, if something is left to do: ngp plan ENV --out FILE",
    )
