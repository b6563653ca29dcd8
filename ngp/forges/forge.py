"""The interface of a forge. A merge request of GitLab is a pull request here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ngp.errors import NgpError


class ForgeError(NgpError):
    """A forge refused a request, or did not answer. It never fails a plan: the caller warns."""

    code = "forge"


class NotFoundError(ForgeError):
    """The object of a request does not exist, or no longer."""

    code = "forge_not_found"


class CommitState(StrEnum):
    """The state of a commit status."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True)
class Comment:
    """A comment of a pull request. `is_own` says that the user of the token wrote it, as far as the forge tells."""

    id: str
    body: str
    is_own: bool


@dataclass(frozen=True)
class PullRequest:
    """A pull request; `head` and `base` are commits, `is_fork` says that the head is in another repository.

    `target` is the branch that it goes into: `base` may be an older commit of it.
    """

    number: int
    head: str
    base: str
    is_fork: bool
    is_merged: bool
    target: str = ""


@dataclass(frozen=True)
class CommitStatus:
    """A commit status. `context` names the check; a later status of the same context replaces it.

    `is_own` says of one that was read that the user of the token set it; None if the forge does not say who that is.
    """

    context: str
    state: CommitState
    description: str = ""
    url: str = ""
    is_own: bool | None = field(default=False, compare=False)


class Forge(Protocol):
    """A forge, for one repository. Every method raises ForgeError where the forge refuses or does not answer."""

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request as it is now."""
        ...

    def merged(self, commit: str) -> Sequence[PullRequest]:
        """Return the merged pull requests that brought a commit into its branch."""
        ...

    def may_write(self, user: str) -> bool:
        """Return whether a user may push to the repository."""
        ...

    def comments(self, number: int) -> Sequence[Comment]:
        """Return all comments of a pull request."""
        ...

    def write_comment(self, number: int, body: str, comment: str = "") -> str:
        """Create a comment, or replace the text of the one with the id `comment`; return its id."""
        ...

    def delete_comment(self, number: int, comment: str) -> None:
        """Delete a comment."""
        ...

    def statuses(self, commit: str) -> Sequence[CommitStatus]:
        """Return the statuses of a commit, the newest first; an older one of the same context may follow."""
        ...

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set a status of a commit."""
        ...
