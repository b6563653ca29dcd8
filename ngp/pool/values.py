"""What boto3 takes and gives, as JSON and back: bytes, streams and times have marks of their own."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

_BYTES, _STREAM, _TIME, _MAP = "$bytes", "$stream", "$time", "$map"


def encode(value: Any) -> Any:
    """`value` as JSON can hold it; a stream is read to its end. Raises TypeError for what no call takes or gives."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes | bytearray):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(one) for one in value]
    if isinstance(value, Mapping):
        made = {str(key): encode(one) for key, one in value.items()}
        return {_MAP: made} if any(key.startswith("$") for key in made) else made
    if hasattr(value, "read"):
        return {_STREAM: base64.b64encode(value.read()).decode("ascii")}
    raise TypeError(f"a {type(value).__name__} cannot be handed on")


def decode(value: Any) -> Any:
    """What was encoded."""
    if isinstance(value, list):
        return [decode(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((mark, one),) = value.items()
        if mark in _MARKS:
            return _MARKS[mark](one)
    return {key: decode(one) for key, one in value.items()}


_MARKS: Mapping[str, Callable[[Any], Any]] = {
    _BYTES: base64.b64decode,
    _STREAM: lambda text: io.BytesIO(base64.b64decode(text)),
    _TIME: datetime.fromisoformat,
    _MAP: lambda inner: {key: decode(one) for key, one in inner.items()},
}
