"""Orphaned states of one environment, or of a whole platform with the environments that are gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ngp.environments import documents
from ngp.environments.environment import Environment, Platform, StateKind, Target
from ngp.errors import Finding, NgpError
from ngp.runs import abandoned, duplicate_states, orphans
from ngp.runs.results import Orphan

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved
    from ngp.runs.abandoned import Reach

Open = Callable[[str], "AbstractContextManager[tuple[Resolved, Session]]"]  # the region of an environment, by its name


@dataclass
class OrphanSurvey:
    """`shared` has the states of two environments, `unreached` what could not be looked at, with the reason."""

    orphans: list[Orphan] = field(default_factory=list)
    shared: list[Finding] = field(default_factory=list)
    unreached: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.orphans or self.shared or self.unreached)


def of_environment(name: str, open_region: Open) -> OrphanSurvey:
    """Return the orphans of one environment, and the states that it shares with another one."""
    found = OrphanSurvey()
    _look(name, open_region, found)
    return found


def of_platform(platform: Platform, open_region: Open, reach: Reach) -> OrphanSurvey:
    """Return the orphans of all environments and of those that are gone; what cannot be reached stops nothing.

    A sandbox that does not run has no states, and is passed by.
    """
    found = OrphanSurvey()
    for name in documents.names(platform):
        try:
            if not is_sandbox_stopped(platform, documents.load(platform, name)):
                _look(name, open_region, found)
        except NgpError as error:
            more = f" (and {len(error.findings) - 1} more: ngp validate {name})" if len(error.findings) > 1 else ""
            found.unreached[name] = f"{error.findings[0]}{more}"
    gone = abandoned.survey(platform, reach)
    found.orphans += gone.found
    told = set(found.unreached.values())
    found.unreached |= {place: reason for place, reason in gone.unreached.items() if reason not in told}
    return found


def beside(
    resolved: Resolved, session: Session, note: Callable[[str], None], *, with_gone: bool = False
) -> tuple[Orphan, ...]:
    """Return the orphans of an environment for a command about something else; `note` gets why there may be more.

    Those of environments that are gone come along where this one has no state, or `with_gone`.
    """
    try:
        return abandoned.beside(resolved, session, always=with_gone)
    except NgpError as error:
        name = resolved.environment.name
        note(f"cannot list the states of {name}, so removed units are missing here: {error}")
        return ()


def at_hand(resolved: Resolved, reach: Callable[[], Session], note: Callable[[str], None]) -> tuple[Orphan, ...]:
    """Return the orphans of an environment for a command that needs no AWS: none where `reach` raises NgpError.

    `note` gets why, but for a sandbox that does not run: it has none.
    """
    session: Any = None  # states on the disk need none
    try:
        if resolved.platform.state is StateKind.S3:
            session = reach()
    except NgpError as error:
        from ngp.sandbox.server import SilentError

        if resolved.environment.target is Target.AWS:
            note(f"cannot reach an account, so removed units are missing here: {error}")
        elif isinstance(error, SilentError):
            note(f"removed units are missing here: {error}")
        return ()
    return beside(resolved, session, note)


def is_sandbox_stopped(platform: Platform, environment: Environment) -> bool:
    """Return whether the states of an environment live in a sandbox that does not run: it has none."""
    from ngp.sandbox import server

    is_there = environment.target is Target.SANDBOX and platform.state is StateKind.S3
    return is_there and server.status(platform.workspace.path) is None


def _look(name: str, open_region: Open, found: OrphanSurvey) -> None:
    with open_region(name) as (resolved, session):
        found.orphans += orphans.collect(resolved, session)
        found.shared += duplicate_states.collect(resolved, session, found.shared)
