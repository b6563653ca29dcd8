"""States of removed environments: their folder was renamed or removed, or they keep their states elsewhere now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ngp import yaml
from ngp.environments import documents, history, state_locations
from ngp.environments.environment import StateKind, Target
from ngp.environments.history import Removal
from ngp.errors import NgpError, UsageError
from ngp.runs import orphans, units
from ngp.runs.results import Orphan
from ngp.state import reading

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Environment, Platform
    from ngp.environments.resolving import Resolved
    from ngp.state.locations import StateLocation

Reach = Callable[["Environment"], "Session | None"]  # None: there is nothing, or it must not be asked


@dataclass(frozen=True)
class Survey:
    """The states of removed environments. `unreached` has the reason for each store that could not be read, by name.

    `remote` are the environments that Git knows as removed and whose states are, or were, in a real account.
    """

    found: tuple[Orphan, ...]
    unreached: dict[str, str]
    remote: tuple[str, ...] = ()


def survey(platform: Platform, reach: Reach) -> Survey:
    """Search every store of the platform: those of its environments, and those of environments that Git knows as
    removed.

    `reach` opens the account of an environment. One listing per store.
    """
    removals = history.environments(platform)
    former = dict(_former(platform, removals)) if platform.state is StateKind.S3 else {}
    found: list[Orphan] = []
    unreached: dict[str, str] = {}
    seen = set[str]()
    for place, environment in _stores(platform, former.values()):
        if _store(place) in seen:
            continue
        seen.add(_store(place))
        try:
            session = reach(environment) if environment else None
            if session is not None or place.path is not None:
                found += collect(platform, place, session, removals)
        except NgpError as error:
            unreached[_store(place)] = str(error)
    remote = tuple(name for name, each in former.items() if each.target is Target.AWS)
    return Survey(tuple(found), unreached, remote)


def beside(resolved: Resolved, session: Session, *, always: bool = False) -> tuple[Orphan, ...]:
    """Return the orphans of an environment and, if it has no state itself (or with `always`), those of removed
    environments in the same store: a renamed folder looks like a new environment there."""
    place = units.place(resolved, units.SINGLE)
    listing = reading.beside(place, session)
    gone = collect(resolved.platform, place, session) if always or not listing else []
    return (*orphans.collect(resolved, session, listing), *gone)


def collect(
    platform: Platform, place: StateLocation, session: Session | None, removals: dict[str, Removal] | None = None
) -> list[Orphan]:
    """Return the environments that have states in the store of `place` but keep theirs elsewhere, by name.

    States without resources do not count. A local store needs no session.
    """
    homes = {name for name in documents.names(platform) if _lives_there(platform, name, place)}
    gone: dict[str, list[StateLocation]] = {}
    for (name, _), each in reading.below(place, session).items():  # type: ignore[arg-type]  # a local store needs no account
        if name not in homes:
            gone.setdefault(name, []).append(each)
    known = history.environments(platform) if gone and removals is None else removals or {}
    looked = (_look(name, states, session) for name, states in sorted(gone.items()))
    return [_with_ways_out(platform, each, known.get(each.environment)) for each in looked if each is not None]


def _look(name: str, states: list[StateLocation], session: Session | None) -> Orphan | None:
    """Return what the states of an environment contain, or None if that is nothing."""
    found = [orphans.inspect(state, session) for state in states]  # type: ignore[arg-type]
    held = [(resources, problem) for resources, problem in found if resources or problem]
    if not held:
        return None
    folder = f"{str(states[0]).rpartition('/')[0]}/"
    problem = next((problem for _, problem in held if problem), "")
    return Orphan("", folder, sum(each for each, _ in held), problem, environment=name, states=len(held))


def _with_ways_out(platform: Platform, orphan: Orphan, removal: Removal | None) -> Orphan:
    name = orphan.environment
    folder = f"environments/{name}"
    if name in documents.names(platform):
        todo = f"{name} now stores its states elsewhere: change account, region and state back (git log -p -- {folder} "
        return replace(orphan, todo=f"{todo}ngp.yaml), then ngp destroy {name}, or move the states to the new place")
    if removal is not None and removal.commit:
        before = f"{removal.commit}~1"
        orphan = replace(orphan, commit=removal.commit, date=removal.date, subject=removal.subject)
        todo = f"git switch --detach {before} && ngp destroy {name}; then git switch -"
        return replace(orphan, todo=todo, keep=f"git checkout {before} -- {folder}")
    if removal is not None:
        keep = f"git checkout HEAD -- {folder}"
        return replace(orphan, todo=f"its removal is not committed: {keep} && ngp destroy {name}", keep=keep)
    todo = f"no commit in this clone removed it: restore {folder}, then ngp render {name} && ngp destroy {name}"
    return replace(orphan, todo=todo)


def _stores(platform: Platform, former: Iterable[Environment]) -> Iterator[tuple[StateLocation, Environment | None]]:
    """Return the location of one state per store, with an environment of that account; local states need none."""
    yield state_locations.on_disk(platform), None
    if platform.state is StateKind.LOCAL:
        return
    for name in documents.names(platform):
        try:
            environment = documents.load(platform, name)
        except UsageError:
            continue
        yield state_locations.locate(platform, environment, units.SINGLE), environment
    for each in former:
        yield state_locations.locate(platform, each, units.SINGLE), each


def _former(platform: Platform, removals: Mapping[str, Removal]) -> Iterator[tuple[str, Environment]]:
    """Return the removed environments as Git has them, except those that cannot be read."""
    for name, removal in removals.items():
        text = history.text_before(platform, name, removal)
        with suppress(UsageError):
            parsed = yaml.parse(text, platform.environment_path(name) / documents.FILE)
            yield name, documents.read(platform, name, parsed)


def _lives_there(platform: Platform, name: str, place: StateLocation) -> bool:
    """Whether an environment keeps its states in the store of `place`. One that cannot be read may do so."""
    try:
        own = state_locations.locate(platform, documents.load(platform, name), units.SINGLE)
    except UsageError:
        return True
    return _store(own) == _store(place)


def _store(place: StateLocation) -> str:
    return f"s3://{place.bucket}" if place.path is None else str(place.path.parent.parent)
