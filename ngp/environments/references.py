"""References to secrets, which files contain instead of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_UNREAD = r"vault:[^\s#]+#\S+"  # not supported yet
_REFERENCE = re.compile(rf"{_UNREAD}|ssm:/?[\w./-]+|awssm:[\w/+=.@:-]+(#\S+)?|env:[A-Za-z_][A-Za-z0-9_]*")
FORMS = "ssm:NAME, awssm:NAME, awssm:NAME#KEY or env:VARIABLE"


def is_reference(value: Any) -> bool:
    """Return whether a value is exactly one secret reference."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def check(reference: str) -> list[str]:
    """Return why ngp cannot resolve a reference, without reading it."""
    if re.fullmatch(_UNREAD, reference):
        return [f"ngp cannot read `{reference}`: it has no client for Vault; use {FORMS}"]
    return []


def find(value: Any) -> Iterator[str]:
    """Yield every secret reference in a value, at any depth."""
    if is_reference(value):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find(item)
