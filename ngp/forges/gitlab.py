"""GitLab by its REST API (v4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ngp.forges.forge import Comment, CommitState, CommitStatus, ForgeError, PullRequest
from ngp.forges.rest import Client, Patience, Route

_SAME = "Cannot transition status"  # GitLab refuses to set the state that a status has already, and others
_DEVELOPER = 30  # access level that may push
_STATES = {CommitState.PENDING: "running", CommitState.SUCCESS: "success", CommitState.FAILURE: "failed"}
_WORDS = {"success": CommitState.SUCCESS, "failed": CommitState.FAILURE, "canceled": CommitState.FAILURE}


class GitLab:
    """One project on GitLab. `url` is that of the API (``https://gitlab.example.com/api/v4``)."""

    def __init__(self, url: str, project: str, token: str, route: Route, patience: Patience | None = None) -> None:
        self._client = Client(url, {"PRIVATE-TOKEN": token}, route, patience or Patience())
        self._home = f"/projects/{quote(project, safe='')}"
        self._user = 0

    def pull_request(self, number: int) -> PullRequest:
        """Return a merge request as it is now."""
        return _merge_request(self._client.get(f"{self._home}/merge_requests/{number}"))

    def merged(self, commit: str) -> Sequence[PullRequest]:
        """Return the merged merge requests that brought a commit into its branch."""
        found = self._client.pages(f"{self._home}/repository/commits/{commit}/merge_requests")
        return [one for one in map(_merge_request, found) if one.is_merged]

    def may_write(self, user: str) -> bool:
        """Return whether a user may push to the project."""
        members = self._client.pages(f"{self._home}/members/all", query=user)
        return any(one["username"] == user and int(one["access_level"]) >= _DEVELOPER for one in members)

    def comments(self, number: int) -> Sequence[Comment]:
        """Return all comments of a merge request that persons or tokens wrote."""
        self._ask()
        notes = self._client.pages(f"{self._home}/merge_requests/{number}/notes", sort="asc", order_by="created_at")
        return [
            Comment(str(one["id"]), str(one["body"]), one["author"]["id"] == self._user)
            for one in notes
            if not one["system"]
        ]

    def write_comment(self, number: int, body: str, comment: str = "") -> str:
        """Create a note, or replace the text of the one with the id `comment`; return its id."""
        notes = f"{self._home}/merge_requests/{number}/notes"
        if comment:
            self._client.send("PUT", f"{notes}/{quote(comment)}", {"body": body})
            return comment
        return str(self._client.send("POST", notes, {"body": body})["id"])

    def delete_comment(self, number: int, comment: str) -> None:
        """Delete a note."""
        self._client.send("DELETE", f"{self._home}/merge_requests/{number}/notes/{quote(comment)}")

    def statuses(self, commit: str) -> Sequence[CommitStatus]:
        """Return the statuses of a commit, the newest first; jobs of its pipelines are among them."""
        self._ask()
        listed = self._client.pages(f"{self._home}/repository/commits/{commit}/statuses", all="true")
        found = sorted(listed, key=lambda one: int(one["id"]), reverse=True)
        return [
            CommitStatus(
                str(one["name"]),
                _WORDS.get(str(one["status"]), CommitState.PENDING),
                str(one.get("description") or ""),
                is_own=(one.get("author") or {}).get("id") == self._user,
            )
            for one in found
        ]

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set a status of a commit."""
        body = {"name": status.context, "state": _STATES[status.state], "description": status.description[:255]}
        if status.url:
            body["target_url"] = status.url
        try:
            self._client.send("POST", f"{self._home}/statuses/{commit}", body)
        except ForgeError as error:
            if _SAME not in str(error) or f"from :{body['state']}" not in str(error):
                raise

    def _ask(self) -> None:
        if not self._user:
            self._user = int(self._client.get("/user")["id"])


def _merge_request(found: Any) -> PullRequest:
    refs: Any = found.get("diff_refs") or {}
    is_fork = found["source_project_id"] != found["target_project_id"]
    base, is_merged, target = str(refs.get("base_sha") or ""), found["state"] == "merged", str(found["target_branch"])
    return PullRequest(int(found["iid"]), str(found["sha"]), base, is_fork, is_merged, target)
