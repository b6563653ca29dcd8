"""Writes files of a platform: all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ngp import files
from ngp.errors import NgpError


def changed(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the texts that differ from the disk; a missing file equals an empty text."""
    return {path: text for path, text in texts.items() if not _is_there(path, text)}


def write(texts: Mapping[Path, str | None], what: str) -> None:
    """Write texts, then delete the files and folders whose text is None.

    Raises NgpError that starts with `what` if writing fails: then nothing was written, or only a deletion failed.
    """
    gone = [path for path, text in texts.items() if text is None]
    outcome = "nothing was changed"
    try:
        files.write_all({path: text for path, text in texts.items() if text is not None})
        outcome = "everything was written, and files that should be removed are left"
        files.remove_all(gone)
    except OSError as error:
        why = f"{error.strerror}; {outcome}"
        where = str(error.filename or next(iter(texts), ""))
        raise NgpError(what, where=where, why=why, todo="fix it, then run the command again") from None


def through_links(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return texts by the targets of links, so that an operator's link stays one."""
    return {path.resolve(): text for path, text in texts.items()}


def _is_there(path: Path, text: str) -> bool:
    return path.read_bytes() == text.encode() if path.is_file() else not text
