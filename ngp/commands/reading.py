"""Shared by commands that read one environment: its files and its states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ngp.commands import options
from ngp.environments import platforms, resolving
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
    """Return the states of no unit, for a command about something else; a line says where they cannot be listed."""
    from ngp.runs import orphan_survey

    note = partial(terminal.say, context.settings)
    return orphan_survey.beside(region.resolved, region.session, note, with_gone=with_gone)


def orphans_at_hand(context: Context, resolved: Resolved) -> tuple[Orphan, ...]:
    """Return the states of no unit, for a command that needs no AWS."""
    from ngp.runs import access, orphan_survey

    def reach() -> Session:
        return access.open_states(resolved, context.settings, lambda _: None, stop=context.stop).session

    return orphan_survey.at_hand(resolved, reach, partial(terminal.say, context.settings))


def format_of(form: str, *, raw: bool, as_json: bool) -> OutputFormat:
    """The one format that the flags ask for."""
    if raw:
        return OutputFormat.RAW
    if as_json:
        return OutputFormat.JSON
    options.require_format(form, [one.value for one in OutputFormat])
    return OutputFormat(form)
