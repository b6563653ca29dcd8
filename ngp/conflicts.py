"""Detects Git's conflict markers in a file that cannot be parsed, and reports them instead of the syntax error."""

from __future__ import annotations

import re
from pathlib import Path

from ngp.errors import UsageError

_BEGIN = re.compile(r"(?m)^<{7}(?: .*)?$")


def explain(text: str, path: Path) -> UsageError | None:
    """Return the error for a text with conflict markers, None for any other."""
    found = _BEGIN.search(text)
    if found is None:
        return None
    where = f"{path}:{text.count(chr(10), 0, found.start()) + 1}"
    why, todo = "a merge or a rebase left it there", "choose what counts, delete the markers, and commit"
    return UsageError("this is a conflict of Git", where=where, why=why, todo=todo)
