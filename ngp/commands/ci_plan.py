"""`ngp ci plan`: check and plan what a change affects, and publish one comment and one status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import changes, planning, results, workflow_commands
from ngp.ci.changes import ChangeRequest, CheckedChange
from ngp.ci.results import PlanResult
from ngp.ci.tiers import Tier
from ngp.commands import bundles, narrowing, options, pipelines, reporting
from ngp.review import narrowing as review
from ngp.views import documents

if TYPE_CHECKING:
    from ngp.ci.pipeline import Pipeline
    from ngp.environments.resolving import Resolved
    from ngp.reports.report import Report
    from ngp.runs.bundle.requests import BundleRequest
    from ngp.runs.results import RunResult


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
    if planning.is_ignored(pipeline, tier, why):
        return _show(pipeline, CheckedChange(tier, why, None), (), pipeline.publish([], ()).exit_code, as_json=as_json)
    channel = pipeline.channel("plan", pipeline.event.number, pipeline.commit)
    channel.checks_only = tier is Tier.STRANGER
    is_whole = everything or pipeline.event.is_whole
    request = ChangeRequest(since, is_whole, partial(narrowing.print_affected, context))
    resolved, change = changes.begin(pipeline, channel, environments or (), (tier, why), request)
    keeps_bundles = pipeline.event.keeps_bundles(is_whole=is_whole)
    plan_options = _PlanOptions(expires, key, encrypt_to, parallelism, keeps_bundles)
    done = []
    for one in resolved:
        done.append(_one(pipeline, one, change, plan_options))
        results.report_plan(pipeline, channel, change, done[-1])
    channel.finish(change.expected)
    code = results.publish_plans(pipeline, change, done).code(detailed=detailed_exitcode)
    return _show(pipeline, change, done, code, as_json=as_json)


def _show(pipeline: Pipeline, change: CheckedChange, done: Sequence[PlanResult], code: int, *, as_json: bool) -> int:
    if as_json:
        documents.write(results.plan_document(pipeline, change, done, code))
    return code


def _one(pipeline: Pipeline, resolved: Resolved, change: CheckedChange, plan_options: _PlanOptions) -> PlanResult:
    name = resolved.environment.name
    pipeline.command([workflow_commands.group(f"plan {name}")])
    done = planning.check_and_plan(pipeline, resolved, change, lambda: _plan(pipeline, resolved, change, plan_options))
    pipelines.close(pipeline, name, done.findings)
    return done


def _plan(pipeline: Pipeline, resolved: Resolved, change: CheckedChange, plan_options: _PlanOptions) -> Report:
    """Plan one environment into a bundle, and write its reports."""
    from ngp.commands import running
    from ngp.reports import making
    from ngp.review.affected import Affected
    from ngp.runs import planning as runs
    from ngp.runs.results import Verb

    context, name = options.context(), resolved.environment.name
    pipeline.drop_bundle(name)
    wanted = plan_options.bundle(context, pipeline.bundle(name))
    reports = reporting.require(context, pipeline.reports(name))
    reports.locate = pipeline.located
    reports.prepare(resolved, None if change.affected is None else change.rules)

    def plan_units(chosen: Sequence[str]) -> RunResult:
        asked = running.RunOptions(parallelism=plan_options.parallelism)
        with (
            running.begin(context, name) as begun,
            running.open_run(context, Verb.PLAN, begun, chosen, asked) as now,
        ):
            pipeline.command(workflow_commands.masks(making.facts(now.run).secrets))
            result = runs.plan(now.run, finish=bundles.finish(wanted, context, now, Verb.APPLY))
            reports.observe(now.run, change.affected or Affected("", "", ()), change.flags)
        return result

    result = planning.plan_with_feeders(pipeline, review.choice(resolved, change.narrowed, ()), plan_units)
    bundles.print_bundle(wanted, context, result, reports)
    made = planning.finish(pipeline, reports, result)
    return reporting.record(context, reports, made)
