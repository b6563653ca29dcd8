"""Markdown that no text breaks out of: tables, code, words in a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what stands in its cells is Markdown already, and on one line."""
    first, *others = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([first, f"|{'---|' * len(head)}", *others])


def cell(text: str) -> str:
    """A text on one line, its bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """A code span for a cell; "" for nothing."""
    line = cell(text)
    if not line:
        return ""
    fence, pad = ("``", " ") if "`" in line else ("`", "")
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str) -> str:
    """Words for a cell, in which code spans are the author's own and nothing else is HTML."""
    parts = _CODE.split(cell(text))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)
