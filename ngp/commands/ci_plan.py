"""`ngp ci plan`: check and plan what a change affects, and publish one comment and one status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import changes, results, workflow_commands
from ngp.ci.changes import ChangeRequest, CheckedChange
from ngp.ci.events import EventKind
from ngp.ci.results import PlanResult
from ngp.ci.tiers import Tier
from ngp.commands import bundles, narrowing, options, pipelines, reporting
from ngp.errors import NgpError, RefusedError
from ngp.review import narrowing as review
from ngp.views import documents

if TYPE_CHECKING:
    from ngp.ci.pipeline import Pipeline
    from ngp.environments.resolving import Resolved
    from ngp.reports.report import Report
    from ngp.runs.bundle.requests import BundleRequest


@dataclass(frozen=True)
class _PlanOptions:
    """The options of a plan, as typed. `keeps_bundles` is false for a plan of everything, which nobody reviews."""

    expires: str
    key: str
    recipients: Sequence[str] | None
    parallelism: int
    keeps_bundles: bool

    def bundle(self, context: options.Context, path: Path) -> BundleRequest | None:
        """Return the bundle to make, None for none. Raises UsageError for options that cannot be met."""
        if not self.keeps_bundles:
            return None
        return bundles.prepare(context, str(path), self.expires, self.key, self.recipients)


def plan(
    environments: options.EnvironmentNames = None,
    since: options.Since = "",
    everything: Annotated[
        bool, typer.Option("--everything", help="all units, not only the affected ones: for a nightly plan")
    ] = False,
    out_dir: pipelines.Folder = "",
    expires: bundles.Expires = bundles.DEFAULT_EXPIRES,
    key: options.SigningKey = "",
    encrypt_to: bundles.EncryptTo = None,
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    detailed_exitcode: options.DetailedExitCode = False,
    as_json: options.AsJson = False,
) -> int:
    """Check and plan what a change affects; write bundles, reports, a comment and a status.

    ngp only checks a change from a fork: without credentials, network or Terraform.
    """
    context = options.context()
    pipeline = pipelines.begin(context, out_dir)
    tier, why = changes.trust(pipeline)
    if pipeline.event.kind is EventKind.COMMENT and tier is Tier.STRANGER:
        return _ignore(pipeline, why, as_json=as_json)
    head = pipeline.event.head or pipeline.event.ordered or pipeline.checked_out
    channel = pipeline.channel("plan", pipeline.event.number, head)
    channel.checks_only = tier is Tier.STRANGER
    is_whole = everything or pipeline.event.is_whole
    request = ChangeRequest(since, is_whole, partial(narrowing.print_affected, context))
    resolved, change = changes.begin(pipeline, channel, environments or (), (tier, why), request)
    keeps_bundles = not is_whole or pipeline.event.is_before_merge
    plan_options = _PlanOptions(expires, key, encrypt_to, parallelism, keeps_bundles)
    done = []
    for one in resolved:
        done.append(_one(pipeline, one, change, plan_options))
        results.report_plan(pipeline, channel, change, done[-1])
    channel.finish(change.expected)
    totals = results.publish_plans(pipeline, change, done)
    code = totals.exit_code or (2 if detailed_exitcode and totals.has_changes else 0)
    if as_json:
        documents.write(results.plan_document(pipeline, change, done, code))
    return code


def _ignore(pipeline: Pipeline, why: str, *, as_json: bool) -> int:
    """Plan nothing for a comment that orders no plan, and tell the pull request nothing: anybody may comment.

    Raises RefusedError (3) for an order that does not count.
    """
    if pipeline.event.ordered:
        todo = "ask a member to comment `/ngp plan COMMIT` with the newest commit"
        raise RefusedError("this comment does not start a plan", why=why, todo=todo)
    totals = pipeline.publish([], ())
    if as_json:
        documents.write(results.plan_document(pipeline, CheckedChange(Tier.STRANGER, why, None), [], totals.exit_code))
    return totals.exit_code


def _one(pipeline: Pipeline, resolved: Resolved, change: CheckedChange, plan_options: _PlanOptions) -> PlanResult:
    """Check one environment, and plan it where it may be planned."""
    name = resolved.environment.name
    pipeline.command([workflow_commands.group(f"plan {name}")])
    found = tuple(changes.check(pipeline, resolved, change))
    report = None
    code = NgpError.exit_code if found else 0
    if not found and change.tier is Tier.MEMBER:
        try:
            report = _plan(pipeline, resolved, change, plan_options)
            code = report.exit_code
        except NgpError as error:
            found, code = error.findings, error.exit_code
    pipelines.close(pipeline, name, found)
    return PlanResult(name, code, found, report)


def _plan(pipeline: Pipeline, resolved: Resolved, change: CheckedChange, plan_options: _PlanOptions) -> Report:
    """Plan one environment into a bundle, and write its reports."""
    from ngp.commands import running
    from ngp.reports import making
    from ngp.runs import planning, selection
    from ngp.runs.results import Verb, exit_code

    context, name = options.context(), resolved.environment.name
    pipeline.drop_bundle(name)
    wanted = plan_options.bundle(context, pipeline.bundle(name))
    reports = reporting.require(context, pipeline.reports(name))
    reports.prepare(resolved, None if change.affected is None else change.rules)
    chosen: Sequence[str] = review.choice(resolved, change.affected, ())
    while True:
        asked = running.RunOptions(parallelism=plan_options.parallelism)
        with (
            running.begin(context, name) as begun,
            running.open_run(context, Verb.PLAN, begun, chosen, asked) as now,
        ):
            pipeline.command(workflow_commands.masks(making.facts(now.run).secrets))
            result = planning.plan(now.run, finish=bundles.finish(wanted, context, now, Verb.APPLY))
            reports.observe(now.run, change.affected)
        feeders = selection.feeders(result)
        if not feeders or not chosen or result.stopped_by:
            break
        pipeline.say(f"planning again with {', '.join(sorted(feeders))}: these units need it, and it was never applied")
        chosen = sorted({*chosen, *feeders})
    bundles.print_bundle(wanted, context, result, reports)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    code = reports.judge(context, result, code)
    if code:
        pipeline.drop_bundle(name)  # what failed or was denied is not applied
    file = pipeline.bundle(name).name
    reports.bundle = replace(reports.bundle, file=file) if reports.bundle and not code else None
    made = reports.make(result, code)
    return replace(made, exit_code=reports.put(context, made, code))
