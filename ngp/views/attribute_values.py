"""Attribute values for people: Terraform literals, cut if they are too long."""

from __future__ import annotations

import json
from typing import Any

from ngp.terraform.plans import SENSITIVE
from ngp.views import documents

WIDTH = 100  # of one value
_BEFORE = 20  # characters kept in front of the first difference of two long values
_MOST_JSON = 200_000  # characters; a longer text is shown as a text


class UnknownValue:
    """A value that is known only after the apply."""

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN = UnknownValue()


def is_scalar(value: Any) -> bool:
    """Whether a value has no members."""
    return not isinstance(value, (dict, list))


def literal(value: Any) -> str:
    """Return a value on one line, whole."""
    if value is UNKNOWN or value == SENSITIVE:
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return documents.scalar(value)


def cut(text: str, width: int = WIDTH) -> str:
    """Return the start of a text that is too long."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def cut_pair(before: str, after: str, width: int = WIDTH) -> tuple[str, str]:
    """Return two texts that differ, cut so that the first difference can be seen."""
    if max(len(before), len(after)) <= width:
        return before, after
    pairs = enumerate(zip(before, after, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = same - _BEFORE if same > width // 2 else 0
    head = "…" if start else ""
    return cut(head + before[start:], width), cut(head + after[start:], width)


def decode(value: Any) -> Any:
    """Return what a JSON text holds if that is an object or a list with members, else None."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")) or len(value) > _MOST_JSON:
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, (dict, list)) and found else None


def _quoted(text: str) -> str:
    for mark, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("${", "$${"), ("%{", "%%{")):
        text = text.replace(mark, written)
    return f'"{text}"'


def _key(key: Any) -> str:
    return str(key) if str(key).isidentifier() else _quoted(str(key))
