"""A folder instead of a forge: for Jenkins, for other CI systems, and for local use."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ngp import files
from ngp.forges.forge import Comment, CommitState, CommitStatus, ForgeError, PullRequest

_COMMENT = re.compile(r"comment-(\d+)\.md")


class Folder:
    """Stores comments as ``comment-N.md`` and statuses in ``status.json``, for other programs.

    Nobody may authorise a plan here, because a folder has no users.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def pull_request(self, number: int) -> PullRequest:
        """Raise ForgeError, because a folder has no pull requests."""
        raise ForgeError(
            f"cannot look up pull request {number}: this is a folder, not GitHub or GitLab", where=str(self._path)
        )

    def merged(self, commit: str) -> Sequence[PullRequest]:  # noqa: ARG002
        """Return nothing, because a folder has no pull requests."""
        return ()

    def may_write(self, user: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def comments(self, number: int) -> Sequence[Comment]:  # noqa: ARG002
        """Return all comments in the folder."""
        paths = [path for path in self._path.glob("comment-*.md") if _COMMENT.fullmatch(path.name)]
        ordered = sorted(paths, key=_number)
        return [Comment(str(_number(path)), path.read_text(encoding="utf-8"), is_own=True) for path in ordered]

    def write_comment(self, number: int, body: str, comment: str = "") -> str:  # noqa: ARG002
        """Write a comment into its file; return its id."""
        with self._locked():
            known = [int(one.id) for one in self.comments(0)]
            name = comment or str(max(known, default=0) + 1)
            self._write(f"comment-{name}.md", body)
        return name

    def delete_comment(self, number: int, comment: str) -> None:  # noqa: ARG002
        """Delete the file of a comment."""
        (self._path / f"comment-{comment}.md").unlink(missing_ok=True)

    def statuses(self, commit: str) -> Sequence[CommitStatus]:
        """Return the newest status of each context of a commit; a folder does not keep older ones."""
        found = self._load().get(commit, {})
        return [
            CommitStatus(name, CommitState(one["state"]), one["description"], one["url"]) for name, one in found.items()
        ]

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Set a status of a commit."""
        about = {"state": status.state.value, "description": status.description, "url": status.url}
        with self._locked():
            known = self._load()
            known.setdefault(commit, {})[status.context] = about
            self._write("status.json", json.dumps(known, indent=2, sort_keys=True) + "\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other jobs in this folder from writing: each reads what is there and adds to it."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise ForgeError("cannot write to this folder", where=str(self._path), why=error.strerror or "") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _load(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            found: dict[str, dict[str, dict[str, str]]] = json.loads((self._path / "status.json").read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as error:
            raise ForgeError(
                "cannot read the statuses", where=str(self._path / "status.json"), why=str(error)
            ) from None
        return found

    def _write(self, name: str, text: str) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            files.write(self._path / name, text)
        except OSError as error:
            raise ForgeError(f"cannot write {name}", where=str(self._path), why=error.strerror or "") from None


def _number(path: Path) -> int:
    found = _COMMENT.fullmatch(path.name)
    return int(found[1]) if found else 0
