"""Finds the commit to compare with in a pipeline: the event's, fetched if a shallow clone lacks it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.errors import Finding, MissingError, require
from ngp.processes import ProcessResult

_HEAD = ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
_HISTORY_S = 1800.0  # to fetch a whole history


def head(platform: Platform) -> str:
    """Return the full commit of HEAD, "" if there is none."""
    outcome = revisions.git(platform, *_HEAD)
    return outcome.stdout.strip() if outcome.exit_code == 0 else ""


def prefix(platform: Platform) -> str:
    """Return the platform's folder in its repository, ``path/to/platform/``; "" at the top and outside of any."""
    outcome = revisions.git(platform, "rev-parse", "--show-prefix")
    return outcome.stdout.rstrip("\n") if outcome.exit_code == 0 else ""


def holds(platform: Platform, commit: str) -> bool:
    """Whether what is checked out has a commit: it is HEAD, HEAD merges it, or it is in HEAD's history.

    A shallow clone lacks the history, and still has the names of the commits that HEAD merges.
    """
    if head(platform) == commit:
        return True
    about = revisions.git(platform, "cat-file", "commit", "HEAD").stdout.partition("\n\n")[0]
    if f"parent {commit}" in about.splitlines():
        return True
    return _holds(platform, "HEAD", commit)


def rules(platform: Platform, base: str, parted: str) -> str:
    """Return the commit whose policies apply: the event's base if Git has it, else `parted`.

    The commit where the branch left its base would apply old policies to an old branch.
    """
    return base if base and revisions.find(platform, base) else parted


def require_no_links_outside(path: Path) -> None:
    """Raise UsageError for links of the repository at `path` that lead out of it: messages quote what files say."""
    top = revisions.run_git(path, "rev-parse", "--show-toplevel")
    listed = revisions.run_git(path, "ls-files", "--stage", "-z", "--full-name", ":/")
    if top is None or listed is None or top.exit_code or listed.exit_code:
        return
    root = Path(top.stdout.rstrip("\n"))
    links = [line.partition("\t")[2] for line in listed.stdout.split("\0") if line.startswith("120000")]
    why = "the author of the change cannot push to this repository"
    require(
        Finding("cannot check where this link points: its name is not UTF-8", name, why)
        if revisions.UNREADABLE in name
        else Finding("this link points outside the repository", name, why)
        for name in links
        if revisions.UNREADABLE in name or not Path(os.path.realpath(root / name)).is_relative_to(root.resolve())
    )


def target(
    platform: Platform, branch: str, known: str, *, may_fetch: bool, say: Callable[[str], object] = lambda _: None
) -> str:
    """Return the newest commit of the branch that a change goes into; `known` is one of it that the event names, or "".

    It is fetched from the remote, unless that may not be asked: then it is the one that was fetched last. Where nothing
    can be fetched, one that has `known` is as new. A shallow clone may get much history with it; `say` hears that.
    Raises MissingError (69) where only an older one is here, or none.
    """
    remote = revisions.remote(platform)
    here, why = f"refs/remotes/{remote}/{branch}", ""
    if remote and may_fetch:
        if is_shallow(platform):
            say(f"fetching the branch {branch}, with the history that this shallow clone lacks")
        words = ("fetch", "--quiet", "--no-tags", "--", remote, f"+refs/heads/{branch}:{here}")
        why = _failure(revisions.git(platform, *words, timeout_s=_HISTORY_S))
    found = revisions.find(platform, here) if remote else None
    if found and (not why or (known and _holds(platform, found, known))):
        return found
    if known and not found and not why:
        return known
    what = f"cannot find the newest commit of the target branch {branch}"
    raise MissingError(what, why=why, todo=f"fetch {here} in the checkout step, or allow this job to fetch it")


def _failure(done: ProcessResult) -> str:
    """Return why a fetch of history failed, "" if it did not."""
    if done.timed_out:
        return f"git fetch took longer than {_HISTORY_S / 60:.0f} minutes"
    return (" ".join(done.stderr.split()) or "git fetch failed") if done.exit_code else ""


def _holds(platform: Platform, commit: str, other: str) -> bool:
    return revisions.git(platform, "merge-base", "--is-ancestor", other, commit).exit_code == 0


def find(
    platform: Platform,
    named: str,
    *,
    may_fetch: bool,
    say: Callable[[str], object] = lambda _: None,
    may_deepen: bool = True,
) -> str:
    """Return the commit to compare with for the base that an event names.

    It is where HEAD and the base parted, if the history at hand tells, else the base itself: then what others merged
    since counts as changed. A shallow clone gets the base and the history from the remote, unless it may not be asked;
    `say` hears that, and why it failed. Without `may_deepen` the history stays as it is.
    """
    if not named:
        return ""
    remote = revisions.remote(platform) if may_fetch else ""
    if remote and revisions.find(platform, named) is None:
        revisions.git(platform, "fetch", "--quiet", "--no-tags", "--depth=1", "--", remote, named)
    parted = revisions.git(platform, "merge-base", "HEAD", named)
    if parted.exit_code and remote and may_deepen and is_shallow(platform):
        _deepen(platform, remote, named, say)
        parted = revisions.git(platform, "merge-base", "HEAD", named)
    return parted.stdout.strip() if parted.exit_code == 0 else named


def _deepen(platform: Platform, remote: str, named: str, say: Callable[[str], object]) -> None:
    """Fetch the history that a shallow clone lacks, or say why that failed.

    The remote may lack HEAD, as a merge that the checkout made: then its branches lead to the same history.
    """
    say("fetching the history that this shallow clone lacks")
    for wanted in ((named, head(platform)), ()):
        words = ("fetch", "--quiet", "--no-tags", "--unshallow", "--", remote, *wanted)
        done = revisions.git(platform, *words, timeout_s=_HISTORY_S)
        if done.exit_code == 0:
            return
        if done.timed_out:
            break
    say(f"warning: cannot fetch the history: {_failure(done)}")


def is_shallow(platform: Platform) -> bool:
    """Whether the clone lacks a part of the history."""
    return revisions.git(platform, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
