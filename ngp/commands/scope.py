"""The environment and the units of a command line; a message names them if no word does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngp.environments import documents, platforms, scopes
from ngp.environments.scopes import Place, Scope
from ngp.environments.scopes import choose_any as choose_any
from ngp.environments.scopes import one_unit as one_unit
from ngp.environments.scopes import only as only
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform


def choose(context: Context, environment: str, units: Sequence[str] | None = None) -> Scope:
    """Return what `[ENV] [UNIT]...` mean, and say which environment it is if the line does not name it.

    Raises as `scopes.choose`.
    """
    found = scopes.choose(platforms.load(platforms.find(context.cwd)), _place(context), environment, units)
    if not found.is_named:
        terminal.say(context.settings, f"environment: {found.environment} ({found.origin})")
    return found


def is_implied(context: Context, platform: Platform) -> bool:
    """Return whether the folder or NGP_ENV chooses an environment."""
    return scopes.is_implied(platform, _place(context))


def pick(context: Context, platform: Platform, *, may_ask: bool) -> str:
    """Return the environment of a line that names none: the implied one, or the one that a person picks."""
    names = documents.names(platform)
    if may_ask and len(names) > 1 and not is_implied(context, platform):
        from ngp.views import asking

        return asking.pick("Which environment?", names)
    return choose(context, "").environment


def _place(context: Context) -> Place:
    return Place(context.cwd, context.settings.environ)
