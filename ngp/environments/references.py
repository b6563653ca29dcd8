"""References to secrets: what stands in files instead of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(
    r"vault:[^\s#]+#\S+"
    r"|ssm:/?[\w./-]+"
    r"|awssm:[\w/+=.@:-]+(#\S+)?"
    r"|env:[A-Za-z_][A-Za-z0-9_]*"
)
FORMS = "vault:PATH#KEY, ssm:NAME, awssm:NAME, env:VARIABLE"


def is_reference(value: Any) -> bool:
    """Whether a value is a secret reference, wholly."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def find(value: Any) -> Iterator[str]:
    """Every secret reference in a value, however deep."""
    if is_reference(value):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find(item)
