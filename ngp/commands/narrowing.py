"""What plan, render, validate, graph and env share: `--affected` and `--since`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ngp.errors import UsageError

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform
    from ngp.environments.resolving import Resolved
    from ngp.review.affected import Affected


def is_asked(ctx: typer.Context, affected: bool) -> bool:
    """Whether `--affected` was given; UsageError where the line has `--since` only. NGP_SINCE may stand alone: it
    is set for all commands of a CI job."""
    source = ctx.get_parameter_source("since")
    if not affected and source is not None and source.name == "COMMANDLINE":
        raise UsageError("`--since` needs `--affected`", todo="add `--affected`, or leave out `--since`")
    return affected


def narrow(context: Context, resolved: Resolved, since: str, named: Collection[str]) -> Affected:
    """What the change affects of one environment, told on stderr; with names only what of them is affected."""
    chosen = {resolved.environment.name: named} if named else {}
    return tell(context, only(collect(resolved.platform, [resolved], since), chosen))


def collect(
    platform: Platform,
    resolved: Sequence[Resolved],
    since: str,
    *,
    rendered: Mapping[Path, str] | None = None,
    whole: bool = False,
) -> Affected:
    """What the change since `since` affects of these environments, with `whole` also of those that are gone."""
    from ngp.rendering import roots
    from ngp.review import affected, baseline

    base = baseline.load(platform, since)
    if rendered is None:
        rendered = {path: text for each in resolved for path, text in roots.render(each).items()}
    return affected.decide(platform, resolved, rendered, base, whole=whole)


def only(found: Affected, named: Mapping[str, Collection[str]]) -> Affected:
    """`found` without units that are not in `named` (environment → units); all of it where `named` is empty."""
    if not named:
        return found
    units = tuple(each for each in found.units if each.unit in named.get(each.environment, ()))
    return replace(found, units=units, removed=())


def tell(context: Context, found: Affected) -> Affected:
    """Say on stderr what is affected and why, and hand it on."""
    from ngp.views import affected

    affected.tell(found, context.settings)
    return found


def choice(resolved: Resolved, found: Affected | None, named: Sequence[str]) -> tuple[str, ...]:
    """The units to name to a run: none, which means all, for the one root of a `single` state that is affected."""
    from ngp.environments.environment import StateMode

    if found is None or resolved.environment.state is StateMode.SINGLE:
        return tuple(named)
    return found.names(resolved.environment.name)
