"""Shared by commands that read one environment: its files and its states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ngp.commands import options
from ngp.environments import platforms, resolving
from ngp.errors import NgpError
from ngp.views import terminal
from ngp.views.outputs import OutputFormat

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.commands.options import Context
    from ngp.environments.resolving import Resolved
    from ngp.environments.scopes import Scope
    from ngp.runs.results import Orphan


@dataclass(frozen=True)
class Region:
    resolved: Resolved
    session: Session


def resolve(context: Context, environment: str) -> Resolved:
    """The environment of that name in the platform that the command works in."""
    return resolving.resolve(platforms.load(platforms.find(context.cwd)), environment)


@contextmanager
def open_region(context: Context, environment: str) -> Iterator[Region]:
    """Reach the environment's states; a sandbox that does not run is not started, for it would be empty.

    Raises RefusedError (3) for credentials of another account.
    """
    from ngp.runs import access

    resolved = resolve(context, environment)
    reach = access.open_states(
        resolved, context.settings, lambda text: terminal.say(context.settings, text), stop=context.stop
    )
    yield Region(resolved, reach.session)


@dataclass(frozen=True)
class Chosen:
    """The meaning of a command line: its words, the environment's states, and the units' names (none: all)."""

    scope: Scope
    region: Region
    units: tuple[str, ...]


@contextmanager
def open_chosen(context: Context, environment: str, units: Sequence[str] | None) -> Iterator[Chosen]:
    """Reach the states of the units that a command line means.

    Raises what `scope.choose` and `open_region` raise.
    """
    from ngp.commands import scope
    from ngp.runs import selection

    meant = scope.choose(context, environment, units)
    with open_region(context, meant.environment) as region:
        yield Chosen(meant, region, selection.expand(meant.units, region.resolved))


def orphans(context: Context, region: Region, *, with_gone: bool = False) -> tuple[Orphan, ...]:
    """Return the states of no unit, for a command about something else: where they cannot be listed, a line says so.

    Those of environments that are gone come along where the region has no state, or `with_gone`.
    """
    from ngp.runs import abandoned

    try:
        return abandoned.beside(region.resolved, region.session, always=with_gone)
    except NgpError as error:
        name = region.resolved.environment.name
        terminal.say(context.settings, f"cannot list the states of {name}, so removed units are missing here: {error}")
        return ()


def orphans_at_hand(context: Context, resolved: Resolved) -> tuple[Orphan, ...]:
    """Return the states of no unit, for a command that needs no AWS: none where they cannot be reached.

    A sandbox that does not run has none.
    """
    from ngp.environments.environment import StateKind, Target
    from ngp.runs import access

    try:
        session: Any = None  # states on the disk need none
        if resolved.platform.state is StateKind.S3:
            session = access.open_states(resolved, context.settings, lambda _: None, stop=context.stop).session
    except NgpError as error:
        if resolved.environment.target is Target.AWS:
            terminal.say(context.settings, f"cannot reach an account, so removed units are missing here: {error}")
        return ()
    return orphans(context, Region(resolved, session))


def format_of(form: str, *, raw: bool, as_json: bool) -> OutputFormat:
    """The one format that the flags ask for."""
    if raw:
        return OutputFormat.RAW
    if as_json:
        return OutputFormat.JSON
    options.require_format(form, [one.value for one in OutputFormat])
    return OutputFormat(form)
