"""`ngp plan`: what would happen to every unit, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ngp.commands import bundles, options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngp.commands.running import Begun, Wish
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
    out: bundles.Out = "",
    expires: bundles.Expires = bundles.DEFAULT_EXPIRES,
    accept_data_loss: options.AcceptDataLoss = None,
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
    from ngp.runs import selection
    from ngp.views import documents

    context = options.context()
    meant = scope.choose(context, environment, units)
    wanted = bundles.require_choice(context, out, expires)
    wish = running.Wish(targets, replacements, refresh, lock_timeout, parallelism, accept_data_loss, is_apart=apart)
    with running.begin(context, meant.environment) as begun:
        named = selection.expand(meant.units, begun.resolved)
        change = narrowing.narrow(context, begun.resolved, since, named) if narrowing.is_asked(ctx, affected) else None
        chosen = narrowing.choice(begun.resolved, change, named)
        if change is None or change.units:
            result = _plan(context, begun, chosen, wish, wanted, jsonl=as_json_lines)
        else:
            result = _plan_nothing(begun.resolved)
    result, made = bundles.tell(wanted, context, result)
    more = {**made, **(documents.affected(change) if as_json else {})}
    output = running.Output(as_json, as_json_lines, show_all, is_paged=True, is_detailed=detailed_exitcode, more=more)
    running.end(context, result, output)


def _plan(
    context: options.Context,
    begun: Begun,
    chosen: Sequence[str] | None,
    wish: Wish,
    wanted: bundles.Wanted | None,
    *,
    jsonl: bool,
) -> RunResult:
    from ngp.commands import running
    from ngp.runs import planning
    from ngp.runs.results import Verb

    with running.open_run(context, Verb.PLAN, begun, chosen, wish, jsonl=jsonl) as now:
        return planning.plan(now.run, finish=bundles.finish(wanted, now.run, Verb.APPLY))


def _plan_nothing(resolved: Resolved) -> RunResult:
    """The result where the change affects no unit; stale roots are an error all the same."""
    from ngp.runs.context import require_rendered
    from ngp.runs.results import RunResult, Verb

    require_rendered(resolved)
    return RunResult("", Verb.PLAN, resolved.environment.name, ())


PASSES_THROUGH = True
