"""Rescues states that Terraform could not write to their places."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from ngp import files

NAME = "errored.tfstate"
_PREFIX = "ngp-state-"


def save(root: Path, dumped: str) -> Path | None:
    """Return the file with the state that an apply in `root` could not write; None if it was written, or if there is no
    space for it anywhere.

    On a full disk Terraform leaves an empty file and prints the state (`dumped`), which is then written into the space
    that was reserved for output.
    """
    left = root / NAME
    if is_whole(left):
        return left
    if not dumped:
        return None
    try:
        files.write(left, dumped, mode=0o600)
    except OSError:
        return _keep_elsewhere(dumped)
    return left


def _keep_elsewhere(dumped: str) -> Path | None:
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        files.write(folder / NAME, dumped, mode=0o600)
    except OSError:
        files.remove_all([folder] if folder else [])
        return None
    return folder / NAME


def elsewhere() -> list[Path]:
    """Return the states of this user that had no space in their roots."""
    found = Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{NAME}")
    return [path for path in found if path.parent.lstat().st_uid == os.getuid() and not path.parent.is_symlink()]


def is_whole(path: Path) -> bool:
    """Return whether a file contains a complete state, not the rest of one on a full disk."""
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
