"""Plans the environments of a pipeline: which ones, with which units, and what becomes of their bundles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ngp.ci import changes
from ngp.ci.events import EventKind
from ngp.ci.results import PlanResult
from ngp.ci.tiers import Tier
from ngp.errors import NgpError, RefusedError
from ngp.runs import selection

if TYPE_CHECKING:
    from ngp.ci.changes import CheckedChange
    from ngp.ci.pipeline import Pipeline
    from ngp.environments.resolving import Resolved
    from ngp.reports.recording import ReportRequest
    from ngp.reports.report import Report
    from ngp.runs.results import RunResult


def is_ignored(pipeline: Pipeline, tier: Tier, why: str) -> bool:
    """Return whether a comment orders no plan: then the pull request hears nothing, because anybody may comment.

    Raises RefusedError (3) for an order that does not count; `why` says why.
    """
    if pipeline.event.kind is not EventKind.COMMENT or tier is not Tier.STRANGER:
        return False
    if pipeline.event.ordered:
        todo = "ask a member to comment `/ngp plan COMMIT` with the newest commit"
        raise RefusedError("this comment does not start a plan", why=why, todo=todo)
    return True


def check_and_plan(
    pipeline: Pipeline, resolved: Resolved, change: CheckedChange, plan: Callable[[], Report]
) -> PlanResult:
    """Check one environment, and plan it if the checks found nothing and the change comes from a member."""
    name = resolved.environment.name
    found = tuple(changes.check(pipeline, resolved, change))
    if found:
        return PlanResult(name, NgpError.exit_code, found, why="the checks found problems")
    if change.tier is not Tier.MEMBER:
        return PlanResult(name, 0)
    try:
        report = plan()
    except NgpError as error:
        return PlanResult(name, error.exit_code, error.findings, why="the plan failed")
    return PlanResult(name, report.exit_code, report=report)


def plan_with_feeders(
    pipeline: Pipeline, chosen: Sequence[str], plan: Callable[[Sequence[str]], RunResult]
) -> RunResult:
    """Plan the chosen units (none: all); plan again with each unit whose outputs they need and nobody has applied."""
    while True:
        result = plan(chosen)
        feeders = selection.feeders(result)
        if not feeders or not chosen or result.stopped_by:
            return result
        pipeline.say(f"planning again with {', '.join(sorted(feeders))}: these units need it, and it was never applied")
        chosen = sorted({*chosen, *feeders})


def finish(pipeline: Pipeline, reports: ReportRequest, result: RunResult) -> Report:
    """Return the report of a plan that the policies have judged. Delete its bundle if the plan failed or was denied."""
    name = result.environment
    code = reports.judge(result).exit_code(result.exit_code())
    if code:
        pipeline.drop_bundle(name)
    reports.show_bundle_as("" if code else pipeline.bundle(name).name)
    return reports.make(result, code)
