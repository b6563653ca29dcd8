"""`ngp destroy`: show what will be deleted, ask once, and delete in reverse order."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ngp.commands import bundles, options, reporting
from ngp.environments import scopes

if TYPE_CHECKING:
    from ngp.commands.running import OpenRun, ResultOptions, RunOptions
    from ngp.environments.scopes import Scope
    from ngp.runs.bundle.requests import BundleRequest
    from ngp.runs.results import RunResult

PASSES_THROUGH = True

DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be destroyed, without a question or a change")]


def destroy(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    dry_run: DryRun = False,
    out: bundles.Out = "",
    expires: bundles.Expires = bundles.DEFAULT_EXPIRES,
    encrypt_to: bundles.EncryptTo = None,
    auto_approve: options.AutoApprove = False,
    accept_data_loss: options.AcceptDataLoss = None,
    refresh: options.Refresh = options.Switch.ON,
    lock_timeout: options.LockTimeout = "",
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    accept_lost: options.AcceptLost = None,
    apart: options.Apart = False,
    emergency: options.Emergency = "",
    key: options.SigningKey = "",
    report: reporting.Reports = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Destroy units, dependent units first; ask for the environment's name."""
    from ngp.commands import running, scope
    from ngp.runs import run_options

    context = options.context()
    output = running.ResultOptions(as_json, as_json_lines, show_all, reports=reporting.require(context, report))
    chosen = scope.choose(context, environment, units)
    wanted = bundles.prepare(context, out, expires, key, encrypt_to)
    dry_run = run_options.is_plan_only(emergency, has_bundle=wanted is not None, dry_run=dry_run)
    if not dry_run:
        _require_consent(context, chosen, auto_approve=auto_approve)
    given = running.RunOptions(None, None, bool(refresh), lock_timeout, parallelism, accept_data_loss, is_apart=apart)
    given = replace(given, accepts_lost=accept_lost, is_dry_run=dry_run, emergency=emergency, key=key)
    _destroy(context, chosen, given, wanted, output, auto_approve=auto_approve)


def _destroy(
    context: options.Context,
    chosen: Scope,
    given: RunOptions,
    wanted: BundleRequest | None,
    output: ResultOptions,
    *,
    auto_approve: bool,
) -> NoReturn:
    from ngp.commands import running
    from ngp.runs import destroying
    from ngp.runs.results import Verb

    with (
        reporting.covering(context, output.reports, Verb.DESTROY, chosen.environment),
        running.begin(context, chosen.environment) as begun,
        running.open_run(context, Verb.DESTROY, begun, chosen.units, given, jsonl=output.as_json_lines) as now,
    ):
        agree = _consent(context, now, auto_approve=auto_approve, show_all=output.whole)
        consent = destroying.DestroyConsent(agree, is_typed=not auto_approve)
        result = destroying.destroy(now.run, consent, finish=bundles.finish(wanted, context, now, Verb.DESTROY))
        output.reports.observe(now.run)
    result, more = bundles.print_bundle(wanted, context, result, output.reports)
    result = running.mark_approval(result, begun.resolved)
    running.end(context, result, replace(output, is_paged=given.is_dry_run, more=more))


def _consent(
    context: options.Context, now: OpenRun, *, auto_approve: bool, show_all: bool
) -> Callable[[RunResult], bool]:
    from ngp.views import runs

    def agree(result: RunResult) -> bool:
        with now.follow.pause():
            runs.show_changes(result, context.settings, talk=True, whole=show_all)
            place = options.place(now.run.resolved.environment)
            question = f"All of this will be destroyed in {place}."
            return auto_approve or options.confirm(context, question, word=result.environment)

    return agree


def _require_consent(context: options.Context, chosen: Scope, *, auto_approve: bool) -> None:
    """Raise UsageError if nobody can be asked, or if no question would show which environment is meant."""
    words = ("ngp", "destroy", chosen.environment, *chosen.units)
    if auto_approve:
        scopes.require_named(chosen, shlex.join([*words, "--auto-approve"]))
    else:
        options.require_person(context, *words)
