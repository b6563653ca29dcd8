"""Markdown that no text can break out of: tables, code and prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Its cells must be Markdown on one line."""
    first, *others = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([first, f"|{'---|' * len(head)}", *others])


def cell(text: str) -> str:
    """Return a text on one line with escaped bars."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Return a code span for a cell; "" for an empty text."""
    line = cell(text)
    if not line:
        return ""
    fence, pad = ("``", " ") if "`" in line else ("`", "")
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str) -> str:
    """Return prose for a cell: code spans are kept, everything else is escaped."""
    parts = _CODE.split(cell(text))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)
