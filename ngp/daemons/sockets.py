"""Private folders for sockets."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ngp.daemons import peers
from ngp.errors import NgpError, RefusedError

PREFIX = "ngp-"  # of the names of these folders
_LENGTH = 60  # the folder's share of a socket's path, which has at most 104 bytes on macOS


def make_folder(environ: Mapping[str, str]) -> Path:
    """Make a private folder with a path short enough for sockets. Raises NgpError if that is not possible."""
    for parent in (environ.get("XDG_RUNTIME_DIR"), environ.get("TMPDIR"), "/tmp"):
        if parent and len(parent) <= _LENGTH and Path(parent).is_dir():
            try:
                folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            except OSError:
                continue
            require_private(folder)
            return folder
    raise NgpError("no folder can hold the sockets", why="TMPDIR and /tmp are not writable")


def require_private(folder: Path) -> None:
    """Close a folder of this user to everybody else. Raises RefusedError if it is a link or another user's."""
    if not peers.is_own_folder(folder):
        raise RefusedError(
            "this folder is not private to your user",
            where=str(folder),
            why="the provider proxy keeps files there that nobody else may change",
            todo=f"remove {folder}",
        )
    if not peers.is_private_folder(folder):
        folder.chmod(0o700)
