"""`ngp plan`: plan all units at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import typer

from ngp.commands import bundles, options, reporting

if TYPE_CHECKING:
    from ngp.commands.running import ResultOptions, RunOptions
    from ngp.environments.scopes import Scope
    from ngp.runs.bundle.requests import BundleRequest


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
    key: options.SigningKey = "",
    encrypt_to: bundles.EncryptTo = None,
    report: reporting.Reports = None,
    accept_data_loss: options.AcceptDataLoss = None,
    affected: options.Affected = False,
    since: options.Since = "",
    detailed_exitcode: options.DetailedExitCode = False,
    apart: options.Apart = False,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Plan every unit, even in an empty or half-applied region; change nothing."""
    from ngp.commands import narrowing, running, scope

    context = options.context()
    meant = scope.choose(context, environment, units)
    wanted = bundles.prepare(context, out, expires, key, encrypt_to)
    given = running.RunOptions(
        targets, replacements, bool(refresh), lock_timeout, parallelism, accept_data_loss, is_apart=apart
    )
    output = running.ResultOptions(as_json, as_json_lines, show_all, is_paged=True, is_detailed=detailed_exitcode)
    output = replace(output, reports=reporting.require(context, report))
    narrows = narrowing.is_asked(ctx, affected)
    _plan(context, meant, given, wanted, replace(output, since=since if narrows else None))


def _plan(
    context: options.Context,
    meant: Scope,
    given: RunOptions,
    wanted: BundleRequest | None,
    output: ResultOptions,
) -> NoReturn:
    """Plan and print; with a commit to compare with (`output.since`) only what the change affects."""
    from ngp.commands import narrowing, running
    from ngp.review import narrowing as review
    from ngp.runs import planning, selection
    from ngp.runs.results import Verb
    from ngp.views import documents

    covering = reporting.covering(context, output.reports, Verb.PLAN, meant.environment)
    with covering, running.begin(context, meant.environment) as begun:
        named = selection.expand(meant.units, begun.resolved)
        change = None if output.since is None else narrowing.narrow(context, begun.resolved, output.since, named)
        chosen = review.choice(begun.resolved, change, named)
        output.reports.prepare(begun.resolved)
        if change is None or change.units:
            with running.open_run(context, Verb.PLAN, begun, chosen, given, jsonl=output.as_json_lines) as now:
                result = planning.plan(now.run, finish=bundles.finish(wanted, context, now, Verb.APPLY))
                output.reports.observe(now.run, change)
        else:
            output.reports.note(begun.resolved)
            result = planning.plan_nothing(begun.resolved)
    result, more = bundles.print_bundle(wanted, context, result, output.reports)
    more |= documents.affected(change) if output.as_json else {}
    result = running.mark_approval(result, begun.resolved)
    running.end(context, result, replace(output, more=more))


PASSES_THROUGH = True
