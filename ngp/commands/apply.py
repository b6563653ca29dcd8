"""`ngp apply`: one plan for all units, one question, then exactly that plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import options

if TYPE_CHECKING:
    from ngp.commands.running import Running
    from ngp.runs.applying import Consent
    from ngp.runs.results import RunResult, UnitResult
    from ngp.state.bucket import BucketPlan

PASSES_THROUGH = True

Bootstrap = Annotated[bool, typer.Option("--bootstrap/--no-bootstrap", help="make a missing state bucket")]
AcceptLegacy = Annotated[bool, typer.Option("--accept-legacy", help="apply units of legacy modules too")]


def apply(
    environment: options.EnvironmentName = "",
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
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Bring units to what was previewed and agreed to; anything more stops the run."""
    from ngp.commands import running, scope
    from ngp.runs import applying
    from ngp.runs.results import Verb

    context = options.context()
    chosen = scope.choose(context, environment, units)
    if not auto_approve:
        question = f"Apply what is previewed to `{chosen.environment}`?"
        options.require_person(context, question, flag="--auto-approve")
    wish = running.Wish(
        targets, replacements, refresh, lock_timeout, parallelism, accept_data_loss, accept_legacy, apart, accept_lost
    )
    with (
        running.begin(context, chosen.environment) as begun,
        running.open_run(context, Verb.APPLY, begun, chosen.units, wish, jsonl=as_json_lines) as now,
    ):
        consent = _consent(context, now, auto_approve=auto_approve, show_all=show_all)
        result = applying.apply(now.run, consent, may_bootstrap=bootstrap)
        headlines = [] if as_json or as_json_lines else running.headlines(context, now, result)
    running.end(context, result, running.Output(as_json, as_json_lines, show_all, headlines=headlines))


def _consent(context: options.Context, now: Running, *, auto_approve: bool, show_all: bool) -> Consent:
    from ngp.runs.applying import Consent
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

    def deferred(result: UnitResult) -> bool:
        """A second question, on a terminal only: --auto-approve was given before anyone could see this plan."""
        if not context.settings.is_interactive:
            return False
        with now.follow.pause():
            runs.show_unit(result, context.settings)
            question = f"`{result.unit}` could not be previewed; this is its real plan. Apply it?"
            return options.confirm(context, question)

    return Consent(preview, deferred)
