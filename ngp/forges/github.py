"""GitHub by its REST API (version 2022-11-28)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ngp.forges.forge import Comment, CommitState, CommitStatus, ForgeError, PullRequest
from ngp.forges.rest import Client, Patience, Route

_VERSION = "2022-11-28"
_WRITERS = frozenset({"admin", "maintain", "write"})
_DESCRIPTION = 140  # characters of a status


class GitHub:
    """One repository (``owner/name``) on GitHub."""

    def __init__(self, url: str, repository: str, token: str, route: Route, patience: Patience | None = None) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": _VERSION,
        }
        self._client = Client(url, headers, route, patience or Patience())
        self._home = f"/repos/{quote(repository)}"
        self._may_ask = True
        self._user = 0  # of the token; 0 while nothing has told it

    def pull_request(self, number: int) -> PullRequest:
        """Return a pull request as it is now."""
        return _pull_request(self._client.get(f"{self._home}/pulls/{number}"))

    def merged(self, commit: str) -> Sequence[PullRequest]:
        """Return the merged pull requests that brought a commit into its branch."""
        found = map(_pull_request, self._client.pages(f"{self._home}/commits/{commit}/pulls"))
        return [one for one in found if one.is_merged]

    def may_write(self, user: str) -> bool:
        """Return whether a user may push to the repository."""
        found = self._client.get(f"{self._home}/collaborators/{quote(user, safe='')}/permission")
        return str(found["permission"]) in _WRITERS

    def comments(self, number: int) -> Sequence[Comment]:
        """Return all comments of a pull request.

        The token of an App or a workflow may not ask who it is: the answer to what it wrote before tells. Until then
        every comment of a bot counts as its own, and never one of a person.
        """
        self._ask()
        found = self._client.pages(f"{self._home}/issues/{number}/comments")
        return [Comment(str(one["id"]), str(one.get("body") or ""), self._is_own(one.get("user"))) for one in found]

    def write_comment(self, number: int, body: str, comment: str = "") -> str:
        """Create a comment, or replace the text of the one with the id `comment`; return its id."""
        if comment:
            self._client.send("PATCH", f"{self._home}/issues/comments/{quote(comment)}", {"body": body})
            return comment
        made = self._client.send("POST", f"{self._home}/issues/{number}/comments", {"body": body})
        self._learn(made.get("user"))
        return str(made["id"])

    def delete_comment(self, number: int, comment: str) -> None:  # noqa: ARG002
        """Delete a comment."""
        self._client.send("DELETE", f"{self._home}/issues/comments/{quote(comment)}")

    def statuses(self, commit: str) -> Sequence[CommitStatus]:
        """Return the statuses of a commit, the newest first.

        While nothing has told who the token is, nobody can say which are its own: a status is evidence of a review.
        """
        self._ask()
        return [
            CommitStatus(
                str(one["context"]),
                _state(str(one["state"])),
                str(one.get("description") or ""),
                is_own=self._is_own(one.get("creator")) if self._user else None,
            )
            for one in self._client.pages(f"{self._home}/commits/{commit}/statuses")  # the newest come first
        ]

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set a status of a commit."""
        body = {
            "context": status.context,
            "state": status.state.value,
            "description": status.description[:_DESCRIPTION],
        }
        if status.url:
            body["target_url"] = status.url
        made = self._client.send("POST", f"{self._home}/statuses/{commit}", body)
        self._learn(made.get("creator"))

    def _ask(self) -> None:
        if not self._user and self._may_ask:
            try:
                self._learn(self._client.get("/user"))
            except ForgeError:
                self._may_ask = False

    def _learn(self, user: Any) -> None:
        if not self._user and user:
            self._user = int(user["id"])

    def _is_own(self, user: Any) -> bool:
        if not user:  # its account was deleted
            return False
        return bool(user["id"] == self._user if self._user else user.get("type") == "Bot")


def _pull_request(found: Any) -> PullRequest:
    """Read a pull request; one whose head repository was deleted is from a fork."""
    head, base = found["head"], found["base"]
    is_own = head.get("repo") is not None and head["repo"]["id"] == base["repo"]["id"]
    number, is_merged = int(found["number"]), bool(found["merged_at"])
    return PullRequest(number, str(head["sha"]), str(base["sha"]), not is_own, is_merged, str(base["ref"]))


def _state(word: str) -> CommitState:
    return CommitState.FAILURE if word == "error" else CommitState(word)
