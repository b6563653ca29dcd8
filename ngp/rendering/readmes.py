"""Reads the title and the first sentence of a README as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_HEADING = re.compile(r"#\s+(.+?)[\s#]*")
_SETEXT = re.compile(r"=+\s*")
_NO_PROSE = re.compile(r"[#<>|!*+\-=~`\[{]|\d+\.|\s{4}|Table of contents", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKS = re.compile(r"[`*]|<[^>]*>|(?<!\w)_|_(?!\w)")
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)")
_LONGEST = 200  # characters of a summary


def title(text: str) -> str:
    """Return the first heading, "" if there is none."""
    for line, below in pairwise([*_lines(text), ""]):
        heading = _HEADING.fullmatch(line)
        if heading or (line.strip() and _SETEXT.fullmatch(below)):
            return _plain(heading[1] if heading else line)
    return ""


def summary(text: str) -> str:
    """Return the first sentence of the first paragraph of prose, "" if there is none."""
    paragraph: list[str] = []
    for line, below in pairwise([*_lines(text), ""]):
        is_prose = bool(line.strip()) and not _NO_PROSE.match(line) and not _SETEXT.fullmatch(below)
        if not is_prose and paragraph:
            break
        if is_prose:
            paragraph.append(line.strip())
    plain = _plain(" ".join(paragraph))
    sentence = _SENTENCE.match(plain)
    found = sentence.group() if sentence else plain
    return found if len(found) <= _LONGEST else f"{found[: _LONGEST - 1].rstrip()}…"


def _lines(text: str) -> Iterator[str]:
    """Yield the lines outside of code blocks."""
    is_code = False
    for line in text.splitlines():
        if line.startswith(("```", "~~~")):
            is_code = not is_code
        elif not is_code:
            yield line


def _plain(text: str) -> str:
    words = _MARKS.sub("", _LINK.sub(r"\1", text)).split()
    return "".join(mark for mark in " ".join(words) if mark.isprintable())
