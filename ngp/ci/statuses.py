"""Commit statuses: one for each environment, and an overall one for branch rules."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import Enum

from ngp.ci.events import CISystem, Event, EventKind
from ngp.forges.forge import CommitState, CommitStatus, Forge
from ngp.reports import words
from ngp.reports.report import Report
from ngp.views.terminal import amount

_LONGEST = 255  # characters of a context (GitHub)
_DESCRIPTION = 140  # and of a description
_PLANNED = re.compile(r"(?:.*? )??(?:into (\S+))?(?: · )?(?:(queue )?bundle ([0-9a-f]{64}))?", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,30}")  # a branch that is short enough for a description
_OUTSIDE = "not for a merge: "


class PlanKind(Enum):
    """What a plan was made for. Only a plan for a merge may decide what is applied after it."""

    PULL_REQUEST = "bundle"
    QUEUE = "queue bundle"  # of a merge queue or a merge train, on the commit that it merges
    OUTSIDE = ""  # a push, a schedule, a pipeline that somebody started by hand
    UNKNOWN = "unknown"  # the CI system is unknown, or there is none: nobody can say what the plan is for


def kind(event: Event) -> PlanKind:
    """Return the kind of the plans that an event starts."""
    if event.system is CISystem.NONE:
        return PlanKind.UNKNOWN
    if event.kind is EventKind.MERGE_QUEUE:
        return PlanKind.QUEUE
    return PlanKind.PULL_REQUEST if event.is_before_merge else PlanKind.OUTSIDE


def context(verb: str, environment: str = "") -> str:
    """Return the name of a status: ``ngp/plan/dev``, or ``ngp/plan`` for the overall one."""
    return f"ngp/{verb}/{environment}"[:_LONGEST].rstrip("/")


def of_report(verb: str, report: Report, url: str) -> CommitStatus:
    """Return the status of one environment."""
    state = CommitState.SUCCESS if report.exit_code in (0, 2) else CommitState.FAILURE
    return CommitStatus(context(verb, report.environment), state, words.totals(report), url)


def of_kind(status: CommitStatus, kind: PlanKind, digest: str = "", branch: str = "") -> CommitStatus:
    """Return the status of a plan with its kind: it ends with the digest of its bundle if the plan is for a merge.

    That of a pull request also names the branch that it goes into: another plan of the same commit may be for another.
    """
    text = status.description
    if kind is PlanKind.OUTSIDE:
        return replace(status, description=_cut(f"{_OUTSIDE}{text}", _DESCRIPTION))
    named = f" · {kind.value} {digest}" if digest and kind is not PlanKind.UNKNOWN else ""
    named = f" · into {target(branch)}{named}" if branch and kind is PlanKind.PULL_REQUEST else named
    return replace(status, description=f"{_cut(text, _DESCRIPTION - len(named))}{named}")


def is_outside(status: CommitStatus) -> bool:
    """Return whether a plan that is not for a merge set this status."""
    return status.description.startswith(_OUTSIDE)


def target(branch: str) -> str:
    """Return how a status names the branch that a pull request goes into: a digest of a long or unusual name."""
    if not branch or _PLAIN.fullmatch(branch):
        return branch
    return f"sha256:{hashlib.sha256(branch.encode(errors='surrogateescape')).hexdigest()[:16]}"


def planned_target(status: CommitStatus) -> str:
    """Return the branch that the status of a plan names, as `target` does, "" for none."""
    found = _PLANNED.fullmatch(status.description)
    return found[1] or "" if found else ""


def bundle(status: CommitStatus) -> tuple[PlanKind, str]:
    """Return the kind and the digest of the bundle that the status of a plan names, "" for none."""
    found = _PLANNED.fullmatch(status.description) if status.state is CommitState.SUCCESS else None
    if found is None or not found[3] or is_outside(status):
        return PlanKind.OUTSIDE, ""
    return (PlanKind.QUEUE if found[2] else PlanKind.PULL_REQUEST), found[3]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def over_all(verb: str, known: Sequence[CommitStatus], environments: Collection[str], url: str) -> CommitStatus:
    """Return the overall status, pending until each environment has its own, perhaps from other jobs.

    `known` are the statuses of the commit, the newest first. Those of plans that are not for a merge do not count.
    """
    wanted = {context(verb, name) for name in environments}
    states = {one.context: one.state for one in reversed(known) if one.context in wanted and not is_outside(one)}
    missing = [name for name in wanted if states.get(name, CommitState.PENDING) is CommitState.PENDING]
    failed = [name for name, state in states.items() if state is CommitState.FAILURE]
    if failed:
        return CommitStatus(
            context(verb), CommitState.FAILURE, f"{len(failed)} of {amount(len(wanted), 'environment')} failed", url
        )
    if missing:
        return CommitStatus(
            context(verb), CommitState.PENDING, f"{len(missing)} of {amount(len(wanted), 'environment')} pending", url
        )
    text = f"{amount(len(wanted), 'environment')} done" if wanted else "no affected environments"
    return CommitStatus(context(verb), CommitState.SUCCESS, text, url)


def finish(forge: Forge, commit: str, verb: str, environments: Collection[str], url: str) -> CommitStatus:
    """Set the overall status, again if another job ended meanwhile. Raises ForgeError."""
    status = over_all(verb, forge.statuses(commit), environments, url)
    for _ in range(3):
        forge.set_status(commit, status)
        now = over_all(verb, forge.statuses(commit), environments, url)
        if now.state is status.state:
            break
        status = now
    return status


def of_refusal(verb: str, environment: str, exit_code: int, url: str) -> CommitStatus:
    """Return the status of an environment whose run did not start."""
    return CommitStatus(
        context(verb, environment), CommitState.FAILURE, f"nothing was applied (exit code {exit_code})", url
    )


def of_earlier(verb: str, environment: str, text: str, url: str) -> CommitStatus:
    """Return the status of an environment that an earlier run finished."""
    return CommitStatus(context(verb, environment), CommitState.SUCCESS, text, url)


def of_checks(verb: str, environment: str, exit_code: int, url: str, *, may_order: bool) -> CommitStatus:
    """Return the status of an environment without a plan: pending, so that nothing is merged unplanned.

    `may_order` says whether a member can order the plan by a comment.
    """
    if exit_code:
        return CommitStatus(
            context(verb, environment), CommitState.FAILURE, f"not planned (exit code {exit_code})", url
        )
    text = "checked; waiting for a member to order a plan" if may_order else "checked, not planned"
    return CommitStatus(context(verb, environment), CommitState.PENDING, text, url)
