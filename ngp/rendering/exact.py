"""Reproducible JSON that keeps every digit of a number, for Terraform's var files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ngp.catalogue.literals import number


def dump(values: Mapping[str, Any]) -> str:
    """Return the file's text: keys sorted, one item a line, numbers with all their digits."""
    return "".join(_pieces(values, "")) + "\n"


def _pieces(value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping):
        items = [(f"{_text(key)}: ", value[key]) for key in sorted(value)]
        return _block("{", "}", items, indent)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _block("[", "]", [("", item) for item in value], indent)
    return [_scalar(value)]


def _block(opening: str, closing: str, items: list[tuple[str, Any]], indent: str) -> list[str]:
    if not items:
        return [opening + closing]
    inner = indent + "  "
    pieces = [opening]
    for index, (lead, item) in enumerate(items):
        pieces += [",\n" if index else "\n", inner, lead, *_pieces(item, inner)]
    return [*pieces, "\n", indent, closing]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float | Decimal):
        return number(value)  # an HCL number is a JSON number
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
