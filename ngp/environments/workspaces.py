"""The platform's private folder .ngp: closed to other users, and never part of the repository."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from ngp import files
from ngp.errors import RefusedError
from ngp.workspace import Workspace

_PRIVATE_MODE = 0o700


def require_own(platform: Path) -> Workspace:
    """Return the platform's private folder, which no other user can enter.

    The operator may make it a link. Raises RefusedError (3) if Git tracks it or its content: ngp and Terraform would
    write through links of a repository.
    """
    workspace = Workspace.of(platform)
    index = _index(platform)
    is_checked = index is None or _is_checked(workspace, index)
    if not is_checked and (tracked := _tracked(platform)):
        more = f" and {len(tracked) - 1} more below {files.WORKSPACE}" if len(tracked) > 1 else ""
        raise RefusedError(
            f"Git tracks {tracked[0]}{more}",
            where=str(platform / tracked[0]),
            why="files and links from a repository could make ngp read or overwrite files elsewhere",
            todo=f"run `git rm -r --cached {files.WORKSPACE}`, add it to .gitignore, and delete these files",
        )
    with suppress(OSError):  # whoever needs the folder reports disk errors
        _make_private(workspace)
        if index is not None and not is_checked:
            files.write(workspace.checked, _mark(workspace, index), mode=0o600, durable=False)
    return workspace


def _make_private(workspace: Workspace) -> None:
    """Take the rights of others away: from the folder, or, if it is a link, from the folders in it."""
    if not workspace.path.is_symlink():
        workspace.path.mkdir(mode=_PRIVATE_MODE, exist_ok=True)
        _restrict(workspace.path)
        return
    workspace.states.mkdir(mode=_PRIVATE_MODE, exist_ok=True)  # Terraform would make it readable for all
    with os.scandir(workspace.path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _restrict(Path(entry.path))


def _restrict(folder: Path) -> None:
    if stat.S_IMODE(folder.stat().st_mode) != _PRIVATE_MODE:
        with suppress(PermissionError):  # it belongs to another user, who decides
            folder.chmod(_PRIVATE_MODE)


def _index(platform: Path) -> Path | None:
    """Return the index of the Git work tree that contains the platform."""
    for folder in (platform, *platform.parents):
        git = folder / ".git"
        if git.is_dir():
            return git / "index"
        if git.is_file():  # a work tree of its own, or a submodule
            return folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip() / "index"
    return None


def _is_checked(workspace: Workspace, index: Path) -> bool:
    try:
        return workspace.checked.read_text(encoding="utf-8") == _mark(workspace, index)
    except (OSError, ValueError):
        return False


def _mark(workspace: Workspace, index: Path) -> str:
    """The folder and the Git index that were checked together; no checkout can know them."""
    folder = workspace.path.stat()
    mark = [folder.st_dev, folder.st_ino]
    with suppress(FileNotFoundError):  # of a repository without a commit
        found = index.stat()
        mark += [found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns]
    return json.dumps(mark)


def _tracked(platform: Path) -> list[str]:
    """Return what Git tracks of the folder, relative to the platform; nothing if Git cannot tell."""
    from ngp.environments import revisions  # for most commands the folder is already checked

    outcome = revisions.run_git(platform, "ls-files", "-z", "--", files.WORKSPACE)
    return [path for path in outcome.stdout.split("\0") if path] if outcome and outcome.exit_code == 0 else []
