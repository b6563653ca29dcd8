"""Commit statuses: one for each environment, and an overall one for branch rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ngp.forges.forge import CommitState, CommitStatus, Forge
from ngp.reports import words
from ngp.reports.report import Report
from ngp.views.terminal import amount

_LONGEST = 255  # characters of a context (GitHub)
_DESCRIPTION = 140  # and of a description
_BUNDLE = re.compile(r"(?:^|.* )bundle ([0-9a-f]{64})", re.DOTALL)


def context(verb: str, environment: str = "") -> str:
    """Return the name of a status: ``ngp/plan/dev``, or ``ngp/plan`` for the overall one."""
    return f"ngp/{verb}/{environment}"[:_LONGEST].rstrip("/")


def of_report(verb: str, report: Report, url: str) -> CommitStatus:
    """Return the status of one environment; that of a plan ends with the digest of its bundle."""
    state, text = CommitState.SUCCESS if report.exit_code in (0, 2) else CommitState.FAILURE, words.totals(report)
    if verb == "plan" and report.bundle:
        named = f" · bundle {report.bundle.digest}"
        text = f"{_cut(text, _DESCRIPTION - len(named))}{named}"
    return CommitStatus(context(verb, report.environment), state, text, url)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def bundles(known: Iterable[CommitStatus], environment: str) -> tuple[str, ...]:
    """Return the digests of the bundles that our own statuses of plans name, the newest first.

    `known` are the statuses of one commit, the newest first. A failed plan voids the plans before it. Several may be
    there: of two pipelines that plan a commit at once, one may write the comment last, and the other one the status.
    """
    wanted, found = context("plan", environment), list[str]()
    for one in known:
        if one.context != wanted or not one.is_own:
            continue
        if one.state is CommitState.FAILURE:
            break
        named = _BUNDLE.fullmatch(one.description) if one.state is CommitState.SUCCESS else None
        found += [named[1]] if named else []
    return tuple(found)


def over_all(verb: str, known: Sequence[CommitStatus], environments: Collection[str], url: str) -> CommitStatus:
    """Return the overall status, pending until each environment has its own, perhaps from other jobs.

    `known` are the statuses of the commit, the newest first.
    """
    wanted = {context(verb, name) for name in environments}
    states = {one.context: one.state for one in reversed(known) if one.context in wanted}
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


def of_checks(verb: str, environment: str, exit_code: int, url: str) -> CommitStatus:
    """Return the status of an environment without a plan: pending, so that nothing is merged unplanned."""
    if exit_code:
        return CommitStatus(
            context(verb, environment), CommitState.FAILURE, f"not planned (exit code {exit_code})", url
        )
    state, text = CommitState.PENDING, "checked; waiting for a member to order a plan"
    return CommitStatus(context(verb, environment), state, text, url)
