"""A folder in the place of a forge: for Jenkins, for any other CI system, and for a laptop."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from ngp import files
from ngp.forges.forge import Comment, ForgeError, PullRequest, State, Status

_COMMENT = re.compile(r"comment-(\d+)\.md")


class Folder:
    """Keeps comments as ``comment-N.md`` and statuses in ``status.json``, for other programs to send on.

    Nobody may authorise a plan here: a folder knows no users.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def pull_request(self, number: int) -> PullRequest:
        """Raise ForgeError: a folder holds no pull requests."""
        raise ForgeError(f"pull request {number} is not known here", where=str(self._path))

    def merged(self, commit: str) -> Sequence[PullRequest]:  # noqa: ARG002
        """Return nothing: a folder holds no pull requests."""
        return ()

    def may_write(self, user: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def comments(self, number: int) -> Sequence[Comment]:  # noqa: ARG002
        """Return all comments in the folder."""
        paths = [path for path in self._path.glob("comment-*.md") if _COMMENT.fullmatch(path.name)]
        ordered = sorted(paths, key=_number)
        return [Comment(str(_number(path)), path.read_text(encoding="utf-8"), is_own=True) for path in ordered]

    def write_comment(self, number: int, body: str, comment: str = "") -> None:  # noqa: ARG002
        """Write a comment into its file."""
        known = [int(one.id) for one in self.comments(0)]
        name = comment or str(max(known, default=0) + 1)
        self._write(f"comment-{name}.md", body)

    def statuses(self, commit: str) -> Sequence[Status]:
        """Return the newest status of each context of a commit."""
        found = self._load().get(commit, {})
        return [Status(name, State(one["state"]), one["description"], one["url"]) for name, one in found.items()]

    def set_status(self, commit: str, status: Status) -> None:
        """Set a status of a commit."""
        known = self._load()
        about = {"state": status.state.value, "description": status.description, "url": status.url}
        known.setdefault(commit, {})[status.context] = about
        self._write("status.json", json.dumps(known, indent=2, sort_keys=True) + "\n")

    def _load(self) -> dict[str, dict[str, dict[str, str]]]:
        try:
            found: dict[str, dict[str, dict[str, str]]] = json.loads((self._path / "status.json").read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (ValueError, OSError) as error:
            raise ForgeError(
                "the statuses cannot be read", where=str(self._path / "status.json"), why=str(error)
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
