"""`ngp ci plan`: check and plan what a change affects, and tell people in one comment and one status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.ci import comment, locations, sarif, statuses, workflow_commands
from ngp.ci.events import EventKind
from ngp.ci.tiers import Tier
from ngp.commands import bundles, ci_changes, options, pipelines, reporting
from ngp.environments import documents, resolving, revisions
from ngp.errors import Finding, NgpError, RefusedError, require
from ngp.review import narrowing
from ngp.views import documents as views
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.ci.outputs import Totals
    from ngp.commands.pipelines import Pipeline
    from ngp.environments.resolving import Resolved
    from ngp.reports.report import Report
    from ngp.runs.results import RunResult

_REPORTS = ("html", "md", "json", "xml")


@dataclass(frozen=True)
class _PlanOptions:
    """The options of a plan, as typed. `keeps_bundles` is false for a plan of everything, which nobody reviews."""

    expires: str
    key: str
    recipients: Sequence[str] | None
    parallelism: int
    keeps_bundles: bool

    def bundle(self, context: options.Context, path: Path) -> bundles.BundleRequest | None:
        """Return the bundle to make, None for none. Raises UsageError for options that cannot be met."""
        if not self.keeps_bundles:
            return None
        return bundles.require_choice(
            context, bundles.BundleOptions(str(path), self.expires, self.key, self.recipients)
        )


@dataclass(frozen=True)
class _Done:
    """What became of one environment."""

    environment: str
    exit_code: int
    findings: tuple[Finding, ...] = ()
    report: Report | None = None


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
    tier, why = ci_changes.trust(pipeline)
    if pipeline.event.kind is EventKind.COMMENT and tier is Tier.STRANGER:
        return _ignore(pipeline, why, as_json=as_json)
    head = pipeline.event.head or pipeline.event.ordered or pipeline.checked_out
    channel = pipeline.channel("plan", pipeline.event.number, head)
    channel.checks_only = tier is Tier.STRANGER
    try:
        resolved = _start(pipeline, environments, since)
        is_whole = everything or pipeline.event.is_whole
        change = ci_changes.look(pipeline, resolved, (tier, why), since, everything=is_whole)
    except NgpError as error:
        channel.begin(())
        pipeline.fail(channel, error.findings)
        raise
    chosen = [one for one in resolved if change.affected is None or change.affected.names(one.environment.name)]
    channel.begin([one.environment.name for one in chosen], change.expected)
    plan_options = _PlanOptions(expires, key, encrypt_to, parallelism, not is_whole or pipeline.event.is_before_merge)
    done = [_one(pipeline, channel, one, change, plan_options) for one in chosen]
    channel.finish(change.expected)
    totals = _publish(pipeline, change, done)
    code = totals.exit_code or (2 if detailed_exitcode and totals.has_changes else 0)
    if as_json:
        views.write(_document(pipeline, change, done, code))
    return code


def _start(pipeline: Pipeline, environments: Sequence[str] | None, since: str) -> list[Resolved]:
    """Return the environments to look at; bundles that an earlier pipeline left of them are deleted.

    Raises UsageError for all that is wrong in them, and for what the change breaks in them.
    """
    pipeline.require_platform()
    ci_changes.require_head(pipeline)
    names = list(dict.fromkeys(environments or documents.names(pipeline.platform)))
    for name in documents.names(pipeline.platform):
        if name in names:
            (pipeline.folder / f"{name}.bundle").unlink(missing_ok=True)
    resolved, wrong = resolving.collect(pipeline.platform, names)
    if wrong:
        require(dict.fromkeys([*wrong, *ci_changes.breaks(pipeline, names, since)]))
    return list(resolved)


def _publish(pipeline: Pipeline, change: ci_changes.CheckedChange, done: Sequence[_Done]) -> Totals:
    """Write what programs read: SARIF, outputs and the summary; return the totals."""
    checks = [one for each in done for one in each.findings]
    made = [one.report for one in done if one.report]
    pipeline.put("findings.sarif", sarif.render(checks, change.flags, made, pipeline.prefix))
    return pipeline.publish(made, [one.exit_code for one in done])


def _ignore(pipeline: Pipeline, why: str, *, as_json: bool) -> int:
    """Plan nothing for a comment that orders no plan, and tell the pull request nothing: anybody may comment.

    Raises RefusedError (3) for an order that does not count.
    """
    if pipeline.event.ordered:
        todo = "ask a member to comment `/ngp plan COMMIT` with the newest commit"
        raise RefusedError("this comment does not start a plan", why=why, todo=todo)
    totals = pipeline.publish([], ())
    if as_json:
        views.write(_document(pipeline, ci_changes.CheckedChange(Tier.STRANGER, why, None), [], totals.exit_code))
    return totals.exit_code


def _one(
    pipeline: Pipeline,
    channel: Channel,
    resolved: Resolved,
    change: ci_changes.CheckedChange,
    plan_options: _PlanOptions,
) -> _Done:
    """Check one environment, plan it where it may be planned, and tell people."""
    name = resolved.environment.name
    pipeline.command([workflow_commands.group(f"plan {name}")])
    found = tuple(ci_changes.check(pipeline, resolved, change))
    report = None
    code = NgpError.exit_code if found else 0
    if not found and change.tier is Tier.MEMBER:
        try:
            report = _plan(pipeline, resolved, change, plan_options)
            code = report.exit_code
        except NgpError as error:
            found, code = error.findings, error.exit_code
    pipeline.command([workflow_commands.END])
    pipeline.annotate(found)
    for one in found:
        terminal.say(pipeline.context.settings, f"error: {name}: {one}", style="red", always=True)
    _report(pipeline, channel, change, _Done(name, code, found, report))
    return _Done(name, code, found, report)


def _report(pipeline: Pipeline, channel: Channel, change: ci_changes.CheckedChange, done: _Done) -> None:
    name, url, report = done.environment, channel.event.run_url, pipeline.located(done.report)
    if report is not None:
        digest = report.bundle.digest if report.bundle else ""
        about = comment.Marker(name, digest, channel.head)
        queued = digest if channel.event.kind is EventKind.MERGE_QUEUE else ""
        notes = [f"review {terminal.amount(len(change.flags), 'finding')} before the merge"] if change.flags else []
        status = statuses.of_report("plan", report, url, queued)
        channel.report(name, comment.render(report, about, url, notes), status)
        return
    units = [one for one in change.affected.units if one.environment == name] if change.affected else []
    about = comment.Marker(name, "", channel.head)
    why = change.why if change.tier is Tier.STRANGER else "the checks found problems"
    found, flags = (locations.findings(one, pipeline.prefix) for one in (done.findings, change.flags))
    body = comment.render_unplanned(about, why, units, found, flags)
    channel.report(name, body, statuses.of_checks("plan", name, done.exit_code, url))


def _plan(
    pipeline: Pipeline, resolved: Resolved, change: ci_changes.CheckedChange, plan_options: _PlanOptions
) -> Report:
    """Plan one environment into a bundle, and write its reports."""
    from ngp.commands import running
    from ngp.reports import making
    from ngp.runs import planning
    from ngp.runs.results import Verb, exit_code

    context, name = pipeline.context, resolved.environment.name
    path = pipeline.folder / f"{name}.bundle"
    path.unlink(missing_ok=True)
    wanted = plan_options.bundle(context, path)
    reports = reporting.require(context, [str(pipeline.folder / f"{name}.{kind}") for kind in _REPORTS])
    _prepare(reports, resolved, change)
    chosen: Sequence[str] | None = narrowing.choice(resolved, change.affected, ())
    while chosen is not None:
        asked = running.RunOptions(parallelism=plan_options.parallelism)
        with (
            running.begin(context, name) as begun,
            running.open_run(context, Verb.PLAN, begun, chosen, asked) as now,
        ):
            pipeline.command(workflow_commands.masks(making.facts(now.run).secrets))
            result = planning.plan(now.run, finish=bundles.finish(wanted, context, now, Verb.APPLY))
            reports.observe(now.run, change.affected)
        chosen = _with_feeders(pipeline, chosen, result)
    bundles.print_bundle(wanted, context, result, reports)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    code = reports.judge(context, result, code)
    if code:
        path.unlink(missing_ok=True)  # what failed or was denied is not applied
    reports.bundle = replace(reports.bundle, file=path.name) if reports.bundle and not code else None
    made = reports.make(result, code)
    return replace(made, exit_code=reports.put(context, made, code))


def _prepare(reports: reporting.ReportRequest, resolved: Resolved, change: ci_changes.CheckedChange) -> None:
    """Compile the policies of the base: a change does not write the rules that it is held to."""
    if change.affected is None:
        reports.prepare(resolved)
        return
    from ngp.policies import checking

    with TemporaryDirectory() as folder:
        revisions.extract(resolved.platform, change.rules, "policies", Path(folder))
        there = replace(resolved, platform=replace(resolved.platform, path=Path(folder)))
        policies = checking.prepare(there)
    reports.judge_with = lambda result: checking.check(resolved, result, policies)


def _with_feeders(pipeline: Pipeline, chosen: Sequence[str], result: RunResult) -> Sequence[str] | None:
    """Return the units to plan instead, None where these will do.

    A unit whose upstream was never applied, after an apply that failed, cannot be applied without it.
    """
    feeders = {unknown.origin.partition(".")[0] for unit in result.units for unknown in unit.unknowns}
    feeders -= {unit.unit for unit in result.units}
    if not feeders or not chosen or result.stopped_by:
        return None
    text = f"planning again with {', '.join(sorted(feeders))}: these units need it, and it was never applied"
    terminal.say(pipeline.context.settings, text, always=True)
    return sorted({*chosen, *feeders})


def _document(pipeline: Pipeline, change: ci_changes.CheckedChange, done: Sequence[_Done], code: int) -> dict[str, Any]:
    event = pipeline.event
    rows = [
        {
            "environment": one.environment,
            "exit_code": one.exit_code,
            "is_planned": one.report is not None,
            "has_changes": bool(one.report and one.report.has_changes),
            "has_deletions": bool(one.report and one.report.has_deletions),
            "bundle": one.report.bundle.file if one.report and one.report.bundle else None,
            "findings": one.findings,
        }
        for one in done
    ]
    about = {"event": event.kind, "number": event.number, "tier": change.tier, "exit_code": code}
    return {"schema": "ngp.ci.plan/1", **about, "flags": change.flags, "environments": rows}
