"""`ngp apply`: one plan for all units, one question, then exactly that plan; or the plan in a bundle."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ngp.commands import bundle_applies, bundles, completion, options, reporting
from ngp.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.commands.running import OpenRun, ResultOptions, RunOptions
    from ngp.environments.scopes import Scope
    from ngp.runs.applying import ApplyConsent
    from ngp.runs.results import RunResult
    from ngp.state.bucket import BucketPlan

PASSES_THROUGH = True

Bootstrap = Annotated[bool, typer.Option("--bootstrap/--no-bootstrap", help="create a missing state bucket")]
AcceptLegacy = Annotated[bool, typer.Option("--accept-legacy", help="also apply units of legacy modules")]


Named = Annotated[
    str,
    typer.Argument(
        metavar="ENV|FILE",
        help="the environment, or the file of a bundle; by default the environment of this folder, that of NGP_ENV, "
        "or the only one",
        autocompletion=completion.environments_or_units,
    ),
]
Replan = Annotated[
    bool,
    typer.Option("--replan", help="plan a stale bundle again; if the plan differs, show the difference and ask"),
]


def apply(
    environment: Named = "",
    units: options.UnitNames = None,
    auto_approve: options.AutoApprove = False,
    bootstrap: Bootstrap = True,
    accept_data_loss: options.AcceptDataLoss = None,
    accept_legacy: AcceptLegacy = False,
    targets: options.Targets = None,
    replacements: options.Replacements = None,
    refresh: options.Refresh = options.Switch.ON,
    lock_timeout: options.LockTimeout = "",
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    accept_lost: options.AcceptLost = None,
    apart: options.Apart = False,
    replan: Replan = False,
    identity: bundles.Identities = None,
    emergency: options.Emergency = "",
    key: options.SigningKey = "",
    report: reporting.Reports = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Plan all units once, ask once, and apply exactly that plan; or apply a bundle."""
    from ngp.commands import running, scope

    context = options.context()
    output = running.ResultOptions(as_json, as_json_lines, show_all, reports=reporting.require(context, report))
    bundle = bundles.named(context, environment, units)
    given = running.RunOptions(targets, replacements, bool(refresh), lock_timeout, parallelism, accept_data_loss)
    given = replace(given, accepts_legacy=accept_legacy, is_apart=apart, accepts_lost=accept_lost)
    given = replace(given, emergency=emergency, key=key)
    if bundle is not None:
        asked = bundle_applies.BundleApply(given, bootstrap, replan, identities=identity)
        _apply_bundle(context, bundle, asked, output)
    _require_no_replan(replan=replan)
    chosen = scope.choose(context, environment, units)
    _apply(context, chosen, given, output, auto_approve=auto_approve, bootstrap=bootstrap)


def _apply_bundle(
    context: options.Context, path: Path, asked: bundle_applies.BundleApply, output: ResultOptions
) -> NoReturn:
    from ngp.commands import running

    is_document = output.as_json or output.as_json_lines
    asked = replace(asked, jsonl=output.as_json_lines, has_headlines=not is_document, reports=output.reports)
    result, headlines = bundle_applies.apply(context, path, asked)
    running.end(context, result, replace(output, headlines=headlines))


def _apply(
    context: options.Context,
    chosen: Scope,
    given: RunOptions,
    output: ResultOptions,
    *,
    auto_approve: bool,
    bootstrap: bool,
) -> NoReturn:
    from ngp.commands import running
    from ngp.runs import applying
    from ngp.runs.results import Verb

    if not auto_approve:
        options.require_person(context, "ngp", "apply", chosen.environment)
    with (
        reporting.covering(context, output.reports, Verb.APPLY, chosen.environment),
        running.begin(context, chosen.environment) as begun,
        running.open_run(context, Verb.APPLY, begun, chosen.units, given, jsonl=output.as_json_lines) as now,
    ):
        consent = _consent(context, now, auto_approve=auto_approve, show_all=output.whole)
        result = applying.apply(now.run, consent, may_bootstrap=bootstrap)
        output.reports.observe(now.run)
        is_document = output.as_json or output.as_json_lines
        headlines = [] if is_document else running.headlines(context, now, result)
    running.end(context, result, replace(output, headlines=headlines))


def _require_no_replan(*, replan: bool) -> None:
    if replan:
        raise UsageError("`--replan` is for a bundle", todo="name the bundle's file instead of an environment")


def _consent(context: options.Context, now: OpenRun, *, auto_approve: bool, show_all: bool) -> ApplyConsent:
    from ngp.runs.applying import ApplyConsent
    from ngp.views import runs, terminal

    def preview(result: RunResult, bucket: BucketPlan | None) -> bool:
        with now.follow.pause():
            if bucket is not None:
                made = f"+ state bucket {bucket.bucket} (versioned, encrypted, private)"
                terminal.say(context.settings, made, always=True)
            runs.show_changes(result, context.settings, talk=True, whole=show_all)
            return auto_approve or options.confirm(
                context, f"Apply this to {options.place(now.run.resolved.environment)}?"
            )

    return ApplyConsent(preview, partial(bundle_applies.ask_deferred, context, now))
