"""Results of a pipeline's environments, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ngp.ci import comment, locations, sarif, statuses
from ngp.ci.outputs import Totals
from ngp.ci.tiers import Tier
from ngp.environments import resolving
from ngp.errors import Finding

if TYPE_CHECKING:
    from ngp.ci.changes import CheckedChange
    from ngp.ci.channel import Channel
    from ngp.ci.pipeline import Pipeline
    from ngp.reports.report import Report
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.uses import UsedError


@dataclass(frozen=True)
class PlanResult:
    """What became of one environment that was checked, and planned if there is a report; else `why` says why not."""

    environment: str
    exit_code: int
    findings: tuple[Finding, ...] = ()
    report: Report | None = None
    why: str = ""


@dataclass(frozen=True)
class ApplyResult:
    """What became of one bundle."""

    environment: str
    exit_code: int
    bundle: str  # the name of its file
    findings: tuple[Finding, ...] = ()
    report: Report | None = None
    earlier: Finding | None = None  # says that it was applied before
    digest: str = ""


def report_plan(pipeline: Pipeline, channel: Channel, change: CheckedChange, done: PlanResult) -> None:
    """Write the comment and the status of one environment."""
    name, url, report = done.environment, channel.event.run_url, done.report
    digest = report.bundle.digest if report and report.bundle else ""
    if report is not None:
        body = comment.render(report, comment.Marker(name, digest, channel.head), url)
        status = statuses.of_report("plan", report, url)
    else:
        body = _unplanned(pipeline, channel.head, change, done)
        may_order = bool(_order(pipeline, channel.head, change, done))
        status = statuses.of_checks("plan", name, done.exit_code, url, may_order=may_order)
    channel.report(name, body, channel.of_plan(status, digest))


def _order(pipeline: Pipeline, head: str, change: CheckedChange, done: PlanResult) -> str:
    """Return the commit that a member can order to plan by a comment, "" where that helps nobody.

    Only GitHub has such comments, and a plan does not start where the checks found problems.
    """
    is_possible = pipeline.is_github and pipeline.event.number and change.tier is Tier.STRANGER
    return head if is_possible and not done.findings else ""


def _unplanned(pipeline: Pipeline, head: str, change: CheckedChange, done: PlanResult) -> str:
    """Return the comment of an environment that was not planned."""
    name = done.environment
    units = [one for one in change.affected.units if one.environment == name] if change.affected else None
    why, order = change.why if change.tier is Tier.STRANGER else done.why, _order(pipeline, head, change, done)
    found, flags = (locations.findings(one, pipeline.prefix) for one in (done.findings, change.flags))
    return comment.render_unplanned(comment.Marker(name, "", head), why, units, found, flags, order)


def publish_plans(pipeline: Pipeline, change: CheckedChange, done: Sequence[PlanResult]) -> Totals:
    """Write SARIF, outputs and the summary; return the totals."""
    checks = locations.findings((one for each in done for one in each.findings), pipeline.prefix)
    flags = locations.findings(change.flags, pipeline.prefix)
    made = [one.report for one in done if one.report]
    pipeline.put("findings.sarif", sarif.render(checks, flags, made))
    texts = [comment.unmarked(_unplanned(pipeline, pipeline.commit, change, one)) for one in done if not one.report]
    texts += [comment.list_findings("Check these files before the merge", flags)] if not done else []
    return pipeline.publish(made, [one.exit_code for one in done], texts)


def plan_document(pipeline: Pipeline, change: CheckedChange, done: Sequence[PlanResult], code: int) -> dict[str, Any]:
    """``ngp.ci.plan/1``."""
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


def of_used(pipeline: Pipeline, name: str, bundle: Bundle, error: UsedError) -> ApplyResult:
    """Return what it means that a bundle was applied before: success if all of it was, from the files that are here."""
    from ngp.runs.bundle import verifying

    file, earlier = bundle.archive.path.name, error.findings[0]
    other = tuple(verifying.find_other_files(bundle.statement, resolving.resolve(pipeline.platform, name)))
    if error.is_complete and not other:
        return ApplyResult(name, 0, file, earlier=earlier)
    return ApplyResult(name, error.exit_code, file, (*error.findings, *other), earlier=earlier)


def report_apply(pipeline: Pipeline, channel: Channel, done: ApplyResult) -> None:
    """Write the comment and the status of one environment."""
    url, report = channel.event.run_url, done.report
    status = statuses.of_refusal("apply", done.environment, done.exit_code, url)
    if done.earlier is not None:  # the comment shows what became of that apply
        if not done.exit_code:
            what = done.earlier.what
            text = f"{done.environment}: {what}, so there is nothing left to do"
            pipeline.say(text)
            status = statuses.of_earlier("apply", done.environment, what, url)
        channel.report(done.environment, "", status)
        return
    about = comment.Marker(done.environment, done.digest, channel.head)
    if report is not None:
        channel.report(done.environment, comment.render(report, about, url), statuses.of_report("apply", report, url))
        return
    body = comment.render_refused(about, locations.findings(done.findings, pipeline.prefix), link=url)
    channel.report(done.environment, body, status)


def publish_applies(pipeline: Pipeline, done: Sequence[ApplyResult]) -> Totals:
    """Write outputs and the summary; return the totals."""
    refused = {one.environment: locations.findings(one.findings, pipeline.prefix) for one in done if not one.report}
    texts = [comment.list_findings(f"{name}: nothing was applied", found) for name, found in refused.items()]
    return pipeline.publish([one.report for one in done if one.report], [one.exit_code for one in done], texts)


def apply_document(number: int, done: Sequence[ApplyResult], code: int) -> dict[str, Any]:
    """``ngp.ci.apply/1``."""
    rows = [
        {
            "environment": one.environment,
            "exit_code": one.exit_code,
            "bundle": one.bundle,
            "findings": one.findings or tuple(filter(None, [one.earlier])),
        }
        for one in done
    ]
    return {"schema": "ngp.ci.apply/1", "number": number, "exit_code": code, "environments": rows}
