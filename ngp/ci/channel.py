"""Publishes a pipeline's results as comments and statuses. Refusals of the forge become warnings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ngp.ci import comment, evidence, statuses
from ngp.ci.comment import Marker
from ngp.ci.events import Event, EventKind
from ngp.ci.evidence import Evidence
from ngp.ci.statuses import PlanKind
from ngp.errors import Finding
from ngp.forges.folder import Folder
from ngp.forges.forge import Comment, CommitState, CommitStatus, Forge, ForgeError, NotFoundError, PullRequest
from ngp.reports import markdown

T = TypeVar("T")
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError)  # an answer that is not as its API promises


@dataclass
class Channel:
    """Publishes the results of a pipeline. `number` is the pull request, 0 for none; `head` is its commit."""

    forge: Forge
    event: Event
    verb: str
    number: int
    head: str
    warn: Callable[[str], None]
    merged_head: str = field(default="", init=False)  # head of the pull request when it was merged
    target: str = field(default="", init=False)  # the branch that the pull request goes, or was merged, into
    checks_only: bool = field(default=False, init=False)  # no plan may be made
    has_read: bool = field(default=True, init=False)  # the forge said what there is
    _own: dict[str, Comment] = field(default_factory=dict, init=False)
    _statuses: dict[str, Sequence[CommitStatus]] = field(default_factory=dict, init=False)  # by commit

    @property
    def has_comments(self) -> bool:
        """Whether comments are possible: on a pull request, or in a local folder."""
        return bool(self.number) or isinstance(self.forge, Folder)

    @property
    def _sets_overall(self) -> bool:
        """Whether the overall status is this pipeline's: ``ngp/plan`` decides whether a pull request may be merged."""
        return self.verb != "plan" or statuses.kind(self.event) is not PlanKind.OUTSIDE

    def attempt(self, what: str, act: Callable[[], T]) -> T | None:
        """Return the result of `act`; None, with a warning, if the forge refuses or does not answer."""
        try:
            return act()
        except ForgeError as error:
            self.warn(f"{what}: {error}")
        except _MALFORMED as error:
            self.warn(f"{what}: the API sent a malformed answer ({type(error).__name__})")
        return None

    def begin(self, environments: Collection[str], affected: Collection[str] | None = None) -> None:
        """Set all statuses to pending, and mark comments about other commits as outdated.

        With `affected` delete the comments of other environments: the change does not touch these any more.
        """
        if self._sets_overall:
            self.report_pending("")  # first: the answer tells the forge who is writing here
        if self.has_comments:
            found = self.attempt("cannot read the comments", lambda: self.forge.comments(self.number))
            self.has_read = self.has_read and found is not None
            self._own = comment.own(found or ())
        for name in environments:
            if not self._is_planned(name):
                self.report_pending(name)
        if self.verb == "plan" and self.head:
            self._renew(affected)

    def _is_planned(self, environment: str) -> bool:
        """Whether checks alone would replace the plan of this very commit, which a member has ordered."""
        found = self._own.get(environment) if self.checks_only else None
        about = comment.marker(found.body) if found else None
        return found is not None and about is not None and about.head == self.head and comment.is_plan(found.body)

    def _renew(self, affected: Collection[str] | None) -> None:
        for name, one in list(self._own.items()):
            about = comment.marker(one.body)
            is_gone = affected is not None and name not in affected
            is_current = about is not None and about.head == self.head
            text = comment.renew(one.body) if is_current else comment.outdate(one.body, self.head)
            if about is None or (text == one.body and not is_gone) or not self._is_newest():
                continue
            if is_gone:
                self._delete(one.id)
                del self._own[name]
            else:
                self._write(name, text)

    def report_pending(self, environment: str) -> None:
        """Set the status of an environment that follows later."""
        context = statuses.context(self.verb, environment)
        waiting = CommitStatus(context, CommitState.PENDING, "waiting", self.event.run_url)
        self._set(self.of_plan(waiting) if environment and self.verb == "plan" else waiting)

    def of_plan(self, status: CommitStatus, digest: str = "") -> CommitStatus:
        """Return the status of a plan of this pipeline, with the digest of its bundle."""
        return statuses.of_kind(status, statuses.kind(self.event), digest, self.target)

    def report(self, environment: str, body: str, status: CommitStatus) -> None:
        """Write the comment and the status of one environment; without a text its comment stays as it is.

        Checks alone never replace the comment of a plan of the same commit, and its status only where they fail.
        """
        is_planned = self._is_planned(environment)
        if is_planned and status.state is not CommitState.FAILURE:
            return
        if body and not is_planned and self.has_comments and self._is_newest():
            self._write(environment, body)
        self._set(status)

    def named(self, environment: str) -> Marker | None:
        """Return the marker in the comment of an environment, None if there is no comment."""
        found = self._own.get(environment)
        return comment.marker(found.body) if found else None

    def evidence(self, environment: str, commit: str) -> Evidence:
        """Return which bundles the statuses of a commit name; none for no commit."""
        if commit and commit not in self._statuses:
            found = self.attempt("cannot read the statuses", lambda: self.forge.statuses(commit))
            self.has_read = self.has_read and found is not None
            self._statuses[commit] = found or ()
        return evidence.read(self._statuses.get(commit, ()), environment, self.target)

    @property
    def commented(self) -> tuple[str, ...]:
        """The environments with a comment."""
        return tuple(sorted(self._own.keys() - {comment.PLATFORM}))

    def finish(self, environments: Collection[str]) -> None:
        """Set the overall status, once each environment has its own; not for a plan that is not for a merge."""
        if self.head and self._sets_overall:
            url = self.event.run_url
            act = lambda: statuses.finish(self.forge, self.head, self.verb, environments, url)  # noqa: E731
            self.attempt("cannot set the status", act)

    def fail(self, found: Sequence[Finding]) -> None:
        """Set the overall status to failed, and explain in a comment why nothing could be planned.

        A plan that is not for a merge leaves the overall status alone.
        """
        url = self.event.run_url
        if self.verb == "plan" and self.has_comments and self._is_newest():
            about = comment.Marker(comment.PLATFORM, "", self.head)
            self._write(comment.PLATFORM, comment.render_broken(about, found, url))
        if self._sets_overall:
            self._set(CommitStatus(statuses.context(self.verb), CommitState.FAILURE, found[0].what, url))

    def _is_newest(self) -> bool:
        """Whether the pull request still has this head; a slow pipeline must not replace a newer comment."""
        if self.event.kind not in (EventKind.PULL_REQUEST, EventKind.COMMENT) or isinstance(self.forge, Folder):
            return True
        pull: PullRequest | None = self.attempt(
            "cannot read the pull request", lambda: self.forge.pull_request(self.number)
        )
        if pull is not None and pull.head != self.head:
            self.warn(
                f"the pull request has a newer commit, {pull.head[:12]}, so this pipeline leaves its comment alone"
            )
            return False
        return True

    def _write(self, environment: str, body: str) -> None:
        known = self._own.get(environment)
        made = self._put(body, known.id if known else "")
        if made is None:
            return
        self._own[environment] = Comment(made, body, is_own=True)
        if known and made == known.id:
            return
        found = self.attempt("cannot read the comments", lambda: self.forge.comments(self.number))
        oldest = comment.own(found or ()).get(environment)
        if oldest is not None and oldest.id != made:  # another pipeline made one, too: all keep the oldest
            self._own[environment] = oldest
            if self._is_newest():
                self._put(body, oldest.id)
            self._delete(made)

    def _put(self, body: str, known: str) -> str | None:
        """Write a comment, a new one where somebody has deleted the one that is known; return its id."""

        def write() -> str:
            try:
                return self.forge.write_comment(self.number, body, known)
            except NotFoundError:
                if not known:
                    raise
                return self.forge.write_comment(self.number, body)

        return self.attempt("cannot write a comment", write)

    def _delete(self, known: str) -> None:
        def delete() -> None:
            with suppress(NotFoundError):
                self.forge.delete_comment(self.number, known)

        self.attempt("cannot delete a comment", delete)

    def _set(self, status: CommitStatus) -> None:
        if self.head:
            shown = replace(status, description=markdown.plain(status.description))  # it may quote a value
            self.attempt("cannot set the status", lambda: self.forge.set_status(self.head, shown))
