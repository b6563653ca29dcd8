"""Protobuf's wire format, as far as a proxy needs it: the position of each field of a message.

Handwritten, because that is smaller: no generator, no runtime, and unknown fields are forwarded unchanged.
(Protocol Buffers documentation, "Encoding".)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """A field: `start` to `end` includes its tag, `body` is the start of its content, `value` that of a varint."""

    number: int
    kind: int
    start: int
    body: int
    end: int
    value: int = 0


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def fields(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Yield the fields of the message `data[start:end]` in order. Raises WireError if it is not a message."""
    stop = len(data) if end is None else end
    at = start
    while at < stop:
        first = at
        tag, at = _varint(data, at, stop)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            body = at
            value, at = _varint(data, at, stop)
            yield Field(number, kind, first, body, at, value)
            continue
        if kind == BYTES:
            length, at = _varint(data, at, stop)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise WireError(f"field {number} has the unknown wire type {kind}")
        if at + length > stop:
            raise WireError(f"field {number} is longer than its message")
        yield Field(number, kind, first, at, at + length)
        at += length


def first(data: bytes, number: int) -> bytes | None:
    """Return the content of the first length-delimited field of this number, or None."""
    for field in fields(data):
        if field.number == number and field.kind == BYTES:
            return data[field.body : field.end]
    return None


def encode(number: int, content: bytes) -> bytes:
    """Encode a length-delimited field."""
    return _encode_varint(number << 3 | BYTES) + _encode_varint(len(content)) + content


def _varint(data: bytes | memoryview, at: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    while at < stop and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise WireError("a number ends in the middle")


def _encode_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
