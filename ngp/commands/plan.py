"""`ngp plan`: what would happen to every unit, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ngp.commands import options

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.runs.results import RunResult


def plan(
    ctx: typer.Context,
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    targets: options.Targets = None,
    replacements: options.Replacements = None,
    refresh: options.Refresh = options.Switch.ON,
    lock_timeout: options.LockTimeout = "",
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    affected: options.Affected = False,
    since: options.Since = "",
    detailed_exitcode: options.DetailedExitCode = False,
    apart: options.Apart = False,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Preview every unit, also on an empty or half-applied region; nothing is changed."""
    from ngp.commands import narrowing, running, scope
    from ngp.runs import planning, selection
    from ngp.runs.results import Verb
    from ngp.views import documents

    context = options.context()
    meant = scope.choose(context, environment, units)
    wish = running.Wish(targets, replacements, refresh, lock_timeout, parallelism, is_apart=apart)
    with running.begin(context, meant.environment) as begun:
        resolved, named = begun.resolved, selection.expand(meant.units, begun.resolved)
        change = narrowing.narrow(context, resolved, since, named) if narrowing.is_asked(ctx, affected) else None
        if change is None or change.units:
            chosen = narrowing.choice(resolved, change, named)
            with running.open_run(context, Verb.PLAN, begun, chosen, wish, jsonl=as_json_lines) as now:
                result = planning.plan(now.run)
        else:
            result = _plan_nothing(resolved)
    more = documents.affected(change) if as_json else {}
    output = running.Output(as_json, as_json_lines, show_all, is_paged=True, is_detailed=detailed_exitcode, more=more)
    running.end(context, result, output)


def _plan_nothing(resolved: Resolved) -> RunResult:
    """The result where the change affects no unit; stale roots are an error all the same."""
    from ngp.runs.context import require_rendered
    from ngp.runs.results import RunResult, Verb

    require_rendered(resolved)
    return RunResult("", Verb.PLAN, resolved.environment.name, ())


PASSES_THROUGH = True
