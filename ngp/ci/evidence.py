"""What the statuses of a commit prove: which bundles plans of a pull request or of a merge queue made for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ngp.ci import statuses
from ngp.ci.statuses import PlanKind
from ngp.forges.forge import CommitState, CommitStatus


class EvidenceGap(Enum):
    """Why statuses name no bundle: what is the case, and what to do; `{status}` and `{commit}` are filled in."""

    NONE = (
        "no plan for a merge set the status {status} on {commit}",
        "let the jobs that plan set statuses",
    )
    UNKNOWN = (
        "ngp cannot tell which account this token belongs to, so no status {status} on {commit} counts",
        "let the job that applies set statuses",
    )
    FOREIGN = (
        "only another account set the status {status} on {commit}",
        "give the jobs that plan and apply the same account",
    )
    ELSEWHERE = (
        "only plans into another branch set the status {status} on {commit}",
        "plan a pull request again after you change its target branch",
    )
    FAILED = ("the last plan of {commit} failed, as {status} says", "")
    UNFINISHED = ("no plan of {commit} has finished, as {status} says", "")
    OLDER = (
        "the status {status} on {commit} names no bundle that was planned for a merge into a known branch: "
        "an older ngp may have set it",
        "plan open pull requests again with this version of ngp",
    )

    def why(self, status: str, commit: str) -> str:
        """Return what is the case with the status of a commit."""
        return self.value[0].format(status=status, commit=commit[:12])

    @property
    def todo(self) -> str:
        """What to do about it before the next merge, "" if nothing helps."""
        return self.value[1]


@dataclass(frozen=True)
class Evidence:
    """The bundles of one environment that our own statuses of a commit name, by the kind of plan, the newest first.

    Several may be there: two pipelines may plan one commit, and one writes the comment last, the other one the status.
    """

    pull_request: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    gap: EvidenceGap = EvidenceGap.NONE  # why a kind is empty


def read(known: Iterable[CommitStatus], environment: str, branch: str = "") -> Evidence:
    """Return what the statuses of one commit, the newest first, say of the plans of an environment.

    A failed plan voids the plans before it. A plan that is not for a merge, as at night, neither proves nor voids
    anything, and neither does one of a pull request into another branch than `branch`, which the change was merged
    into; "" for an unknown one, into which nothing is proved. Statuses of other accounts do not count.
    """
    wanted = statuses.context("plan", environment)
    all_of_it = [one for one in known if one.context == wanted and not statuses.is_outside(one)]
    about = [one for one in all_of_it if not branch or statuses.planned_target(one) in ("", statuses.target(branch))]
    own, found = [one for one in about if one.is_own], dict[PlanKind, list[str]]()
    for one in own:
        if one.state is CommitState.FAILURE:
            break
        kind, digest = statuses.bundle(one)
        if digest and (kind is PlanKind.QUEUE or (branch and statuses.planned_target(one))):
            found.setdefault(kind, []).append(digest)
    pull_request, queue = (tuple(found.get(kind, ())) for kind in (PlanKind.PULL_REQUEST, PlanKind.QUEUE))
    return Evidence(pull_request, queue, EvidenceGap.ELSEWHERE if all_of_it and not about else _gap(about, own))


def _gap(about: list[CommitStatus], own: list[CommitStatus]) -> EvidenceGap:
    if not about:
        return EvidenceGap.NONE
    if not own:
        return EvidenceGap.UNKNOWN if any(one.is_own is None for one in about) else EvidenceGap.FOREIGN
    ended = next((one.state for one in own if one.state is not CommitState.PENDING), None)
    if ended is None:
        return EvidenceGap.UNFINISHED
    return EvidenceGap.FAILED if ended is CommitState.FAILURE else EvidenceGap.OLDER
