"""Files of a platform that ngp writes: all of them at once, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ngp import files
from ngp.errors import NgpError


def changed(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the texts that are not on the disk yet; an empty one is there where no file is."""
    return {path: text for path, text in texts.items() if not _is_there(path, text)}


def write(texts: Mapping[Path, str | None], what: str) -> None:
    """Write texts, then remove the files and folders whose text is None.

    Raises NgpError that begins with `what` if the disk refuses: nothing was written, or only the removal failed.
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
    """Return texts by the files that links lead to: an operator's link stays one."""
    return {path.resolve(): text for path, text in texts.items()}


def _is_there(path: Path, text: str) -> bool:
    return path.read_bytes() == text.encode() if path.is_file() else not text
