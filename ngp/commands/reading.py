"""What commands share that read one environment: its files, and the region that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments import platforms, resolving
from ngp.errors import UsageError, nearest
from ngp.views import terminal
from ngp.views.outputs import Format

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.commands.options import Context
    from ngp.environments.resolving import Resolved


@dataclass(frozen=True)
class Region:
    resolved: Resolved
    session: Session


def resolve(context: Context, environment: str) -> Resolved:
    """The environment of that name in the platform that the command works in."""
    return resolving.resolve(platforms.load(platforms.find(context.cwd)), environment)


@contextmanager
def open_region(context: Context, environment: str) -> Iterator[Region]:
    """Reach the environment's states; a sandbox that does not run is not started, for it would be empty."""
    from ngp.runs import access

    resolved = resolve(context, environment)
    reach = access.open_access(
        resolved,
        context.settings,
        lambda text: terminal.say(context.settings, text),
        may_start=False,
        stop=context.stop,
    )
    yield Region(resolved, reach.session)


def format_of(form: str, *, raw: bool, as_json: bool) -> Format:
    """The one format that the flags ask for."""
    if raw:
        return Format.RAW
    if as_json:
        return Format.JSON
    try:
        return Format(form)
    except ValueError:
        raise UsageError(f"no format `{form}`", todo=nearest(form, [one.value for one in Format])) from None
