"""Terraform functions for regular expressions: those of RE2 that mean the same in Python."""

from __future__ import annotations

import re
from typing import Any

from ngp.catalogue.operators import ExpressionError, UnknownError, to_string

_TEXT_LENGTH = 4096  # of a longer text Python's patterns may take long; Terraform's do not
_FOREIGN = re.compile(
    r"\(\?(?!:|P<)|\[\[:|\[[^\]]*\[|\\[pPQCzZ]|[*+?}]\+|\{,|\{[\d,]*\d{4}"
)  # of RE2, or of Python only
_DOLLAR = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


def _pattern(text: Any) -> re.Pattern[str]:
    """Return Python's pattern for one of RE2, whose ``$`` is the end of the text."""
    pattern = to_string(text)
    if _FOREIGN.search(pattern):
        raise UnknownError("a pattern that Python reads in another way")
    try:
        return re.compile(
            _DOLLAR.sub(lambda match: r"\Z" if match.group() == "$" else match.group(), pattern), re.ASCII
        )
    except (re.error, OverflowError, RecursionError):
        raise UnknownError("a pattern that Python does not know") from None


def _subject(text: Any) -> str:
    subject = to_string(text)
    if len(subject) > _TEXT_LENGTH:
        raise UnknownError("a long text")
    return subject


def regex(pattern: Any, text: Any) -> Any:
    """Return the first match, or its groups."""
    match = _pattern(pattern).search(_subject(text))
    if match is None:
        raise ExpressionError("the pattern does not match")
    return _groups(match)


def regexall(pattern: Any, text: Any) -> Any:
    """Return all matches."""
    return [_groups(match) for match in _pattern(pattern).finditer(_subject(text))]


def _groups(match: re.Match[str]) -> Any:
    if match.groupdict() and len(match.groupdict()) != len(match.groups()):
        raise ExpressionError("named and unnamed groups in one pattern")
    return match.groupdict() or list(match.groups()) or match.group()
