"""What started a pipeline: a pull request, a merge queue, a push, a schedule, a comment, or a person at a laptop.

Strangers write event files. Whatever is not exactly as expected is an error, so nobody becomes a member by it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ngp.errors import UsageError
from ngp.settings import TRUE

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ORDER = re.compile(r"/ngp plan ([0-9a-f]{40}|[0-9a-f]{64})\s*")
_NOTHING = re.compile(r"0+")
_BRANCH = re.compile(
    r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$))[^\s\x00-\x1f\x7f~^:?*\[\\]+(?<![/.])"
)  # git-check-ref-format
_MOST = 30_000_000  # bytes of an event file


class CISystem(StrEnum):
    """The CI system that runs a pipeline."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"
    NONE = "none"  # a laptop, or a system that ngp does not know


class EventKind(StrEnum):
    """The kinds of events that start a pipeline."""

    PULL_REQUEST = "pull_request"
    MERGE_QUEUE = "merge_queue"
    PUSH = "push"
    SCHEDULE = "schedule"
    COMMENT = "comment"
    OTHER = "other"


@dataclass(frozen=True)
class Event:
    """What started a pipeline. `head` and `base` are commits, "" where the event names none.

    `is_fork` says that somebody may have written the change who may not push, `is_elsewhere` that the event names
    another branch or tag than `default_branch`. `ordered` is the commit that a comment asks to plan, by the user
    `actor`. `target` is the branch that a change goes into: `base` may be an older commit of it.
    """

    system: CISystem
    kind: EventKind
    number: int = 0
    head: str = ""
    base: str = ""
    is_fork: bool = False
    actor: str = ""
    ordered: str = ""
    run_url: str = ""
    is_elsewhere: bool = False
    target: str = ""
    default_branch: str = ""

    @property
    def is_before_merge(self) -> bool:
        """Whether the pipeline is for a change that is not merged."""
        return self.kind in (EventKind.PULL_REQUEST, EventKind.MERGE_QUEUE, EventKind.COMMENT)

    def keeps_bundles(self, *, is_whole: bool) -> bool:
        """Whether a plan makes bundles: not if it is of everything, unless for a merge, because nobody reviews it."""
        return not is_whole or self.is_before_merge

    @property
    def is_whole(self) -> bool:
        """Whether everything must be planned: a schedule searches for drift."""
        return self.kind is EventKind.SCHEDULE


def read(environ: Mapping[str, str]) -> Event:
    """Return the event that the variables of the CI system name.

    Raises UsageError (64) for an event that cannot be trusted to say what it is.
    """
    if environ.get("GITHUB_ACTIONS", "").lower() in TRUE:
        return _github(environ)
    if environ.get("GITLAB_CI", "").lower() in TRUE:
        return _gitlab(environ)
    if environ.get("JENKINS_URL"):
        return _jenkins(environ)
    return Event(CISystem.NONE, EventKind.OTHER)


def _github(environ: Mapping[str, str]) -> Event:
    name, path = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise UsageError(
            "GITHUB_EVENT_PATH is not set", todo="run ngp in a step of a GitHub workflow, or unset GITHUB_ACTIONS"
        )
    found = _load(Path(path))
    server, run = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_RUN_ID", "")
    url = f"{server}/{environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}" if server and run else ""
    try:
        event = _github_event(name, found, environ.get("GITHUB_SHA", ""), url)
        branch = str(found.get("repository", {}).get("default_branch") or "")
        is_elsewhere = _is_elsewhere(str(found.get("ref") or ""), f"refs/heads/{branch}")
        return replace(event, is_elsewhere=is_elsewhere, default_branch=branch)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"a field of `{name}` is missing or malformed: {error}"
        raise UsageError("cannot read the event", where=path, why=why) from None


def _github_event(name: str, found: Any, sha: str, url: str) -> Event:
    actor = str(found.get("sender", {}).get("login", ""))
    if name in ("pull_request", "pull_request_target"):
        pull = found["pull_request"]
        head, base = pull["head"], pull["base"]
        is_own = head.get("repo") is not None and _number(head["repo"]["id"]) == _number(base["repo"]["id"])
        commits = (_commit(head["sha"]), _commit(base["sha"]))
        number, target = _number(pull["number"]), _branch(base.get("ref") or "")
        kind = EventKind.PULL_REQUEST
        return Event(CISystem.GITHUB, kind, number, *commits, not is_own, actor, run_url=url, target=target)
    if name == "merge_group":
        group = found["merge_group"]
        commits = (_commit(group["head_sha"]), _commit(group["base_sha"]))
        return Event(CISystem.GITHUB, EventKind.MERGE_QUEUE, 0, *commits, actor=actor, run_url=url)
    if name == "issue_comment":
        if "pull_request" not in found["issue"] or found["action"] != "created":
            return Event(CISystem.GITHUB, EventKind.COMMENT, is_fork=True, run_url=url)
        order = _ORDER.fullmatch(str(found["comment"]["body"]))
        actor = str(found["comment"]["user"]["login"])
        number = _number(found["issue"]["number"])
        ordered = order[1] if order else ""
        return Event(
            CISystem.GITHUB, EventKind.COMMENT, number, is_fork=True, actor=actor, ordered=ordered, run_url=url
        )
    if name == "push":
        before = "" if _NOTHING.fullmatch(str(found["before"])) else _commit(found["before"])
        return Event(CISystem.GITHUB, EventKind.PUSH, 0, _commit(found["after"]), before, actor=actor, run_url=url)
    if name == "schedule":
        return Event(CISystem.GITHUB, EventKind.SCHEDULE, head=_commit(sha), run_url=url)
    is_known = name in ("workflow_dispatch", "repository_dispatch")
    return Event(CISystem.GITHUB, EventKind.OTHER, head=_commit(sha), is_fork=not is_known, actor=actor, run_url=url)


def _gitlab(environ: Mapping[str, str]) -> Event:
    url, actor = environ.get("CI_JOB_URL", ""), environ.get("GITLAB_USER_LOGIN", "")
    try:
        head = _commit(environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ["CI_COMMIT_SHA"])
        if environ.get("CI_MERGE_REQUEST_IID"):
            number, base = (
                _number(int(environ["CI_MERGE_REQUEST_IID"])),
                _commit(environ["CI_MERGE_REQUEST_DIFF_BASE_SHA"]),
            )
            is_fork = environ["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] != environ["CI_MERGE_REQUEST_PROJECT_ID"]
            is_train = environ.get("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train"
            if is_train:
                head = _commit(environ["CI_COMMIT_SHA"])
            kind = EventKind.MERGE_QUEUE if is_train else EventKind.PULL_REQUEST
            # the pipeline of a fork may run there, where the branch of that name is the fork's own
            target = "" if is_fork else _branch(environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""))
            return Event(CISystem.GITLAB, kind, number, head, base, is_fork, actor, run_url=url, target=target)
        source = environ.get("CI_PIPELINE_SOURCE", "")
        ref, default = environ.get("CI_COMMIT_REF_NAME", ""), environ.get("CI_DEFAULT_BRANCH", "")
        elsewhere = bool(environ.get("CI_COMMIT_TAG")) or _is_elsewhere(
            f"refs/heads/{ref}" if ref else "", f"refs/heads/{default}"
        )
        if source == "push":
            before = environ.get("CI_COMMIT_BEFORE_SHA", "")
            base = "" if not before or _NOTHING.fullmatch(before) else _commit(before)
            found = Event(CISystem.GITLAB, EventKind.PUSH, 0, head, base, actor=actor, run_url=url)
            return replace(found, is_elsewhere=elsewhere, default_branch=default)
        kind = EventKind.SCHEDULE if source == "schedule" else EventKind.OTHER
        is_fork = source.startswith("external_")
        found = Event(CISystem.GITLAB, kind, 0, head, "", is_fork, actor, run_url=url)
        return replace(found, is_elsewhere=elsewhere, default_branch=default)
    except (KeyError, ValueError) as error:
        raise UsageError("cannot read GitLab's variables", why=f"{error} is missing or malformed") from None


def _jenkins(environ: Mapping[str, str]) -> Event:
    url = environ.get("BUILD_URL", "")
    try:
        head, before = (_optional(environ, name) for name in ("GIT_COMMIT", "GIT_PREVIOUS_SUCCESSFUL_COMMIT"))
        if environ.get("CHANGE_ID"):
            number, target = _number(int(environ["CHANGE_ID"])), _branch(environ.get("CHANGE_TARGET", ""))
            is_fork = bool(environ.get("CHANGE_FORK"))
            return Event(
                CISystem.JENKINS, EventKind.PULL_REQUEST, number, head, "", is_fork, run_url=url, target=target
            )
    except ValueError as error:
        raise UsageError("cannot read Jenkins's variables", why=str(error)) from None
    is_branch, is_tag = bool(environ.get("BRANCH_NAME")), bool(environ.get("TAG_NAME"))  # of a multibranch pipeline
    kind = EventKind.PUSH if is_branch else EventKind.OTHER
    is_primary = environ.get("BRANCH_IS_PRIMARY", "").lower() in TRUE
    elsewhere = is_tag or (is_branch and not is_primary)
    return Event(CISystem.JENKINS, kind, head=head, base=before, run_url=url, is_elsewhere=elsewhere)


def _is_elsewhere(ref: str, default: str) -> bool:
    """Whether a pushed ref is another one than that of the default branch, as far as both are known."""
    return bool(ref) and not default.endswith("/") and ref != default


def _load(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST:
            raise UsageError("the event file is too large", where=str(path))
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("cannot read the event", where=str(path), why=type(error).__name__) from None


def _optional(environ: Mapping[str, str], name: str) -> str:
    return _commit(environ[name]) if environ.get(name) else ""


def _branch(text: Any) -> str:
    if not isinstance(text, str) or (text and not _BRANCH.fullmatch(text)):
        raise ValueError("the target branch has an invalid name")
    return text


def _commit(text: Any) -> str:
    if not isinstance(text, str) or not _COMMIT.fullmatch(text):
        raise ValueError("a commit id must be 40 or 64 hexadecimal digits")
    return text


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a number must be positive")
    return value
