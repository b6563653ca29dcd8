"""Redacts secrets by value in all texts of a report."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ngp.terraform.streams import REDACTED, spellings

T = TypeVar("T")


def redact(value: T, secrets: Collection[str]) -> T:
    """Return `value` (frozen dataclasses, tuples, mappings, texts) with each secret replaced, in any spelling."""
    known = spellings(secrets)
    return _redacted(value, known) if known else value


def _redacted(value: Any, secrets: Collection[str]) -> Any:
    if type(value) is str:
        for secret in secrets:
            value = value.replace(secret, REDACTED)
        return value
    if isinstance(value, tuple):
        return tuple(_redacted(item, secrets) for item in value)
    if isinstance(value, Mapping):
        return {key: _redacted(item, secrets) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _redacted(getattr(value, one.name), secrets) for one in fields(value)})
    return value
