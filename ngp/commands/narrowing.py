"""Shared by plan, render, validate, graph and env: the options `--affected` and `--since`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

from ngp.errors import UsageError

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.resolving import Resolved
    from ngp.review.affected import Affected


def is_asked(ctx: typer.Context, affected: bool) -> bool:
    """Whether `--affected` was given; UsageError where the line has `--since` only. NGP_SINCE may stand alone: it
    is set for all commands of a CI job."""
    source = ctx.get_parameter_source("since")
    if not affected and source is not None and source.name == "COMMANDLINE":
        raise UsageError("`--since` needs `--affected`", todo="add `--affected`, or omit `--since`")
    return affected


def narrow(context: Context, resolved: Resolved, since: str, named: Collection[str]) -> Affected:
    """Return what the change affects of one environment, and say it on stderr; with names only what of them it is."""
    from ngp.review import narrowing

    chosen = {resolved.environment.name: named} if named else {}
    return print_affected(context, narrowing.only(narrowing.collect(resolved.platform, [resolved], since), chosen))


def print_affected(context: Context, found: Affected) -> Affected:
    """Print on stderr what is affected and why; return it."""
    from ngp.views import affected

    affected.print_summary(found, context.settings)
    return found
