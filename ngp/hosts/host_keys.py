"""Checks of public host keys: a console may cut a line, and a file may hold anything."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

_LENGTH = 4  # bytes of a length in a key


def whole(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the keys, such as ``ssh-ed25519 AAAA…``, that are whole."""
    return tuple(text for text in texts if _is_whole(text))


def _is_whole(text: str) -> bool:
    """Whether a key holds its kind and at least one value, all at full length (RFC 4253, 6.6)."""
    kind, encoded, *_ = [*text.split(), "", ""]
    try:
        rest = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    parts: list[bytes] = []
    while len(rest) >= _LENGTH:
        end = _LENGTH + int.from_bytes(rest[:_LENGTH], "big")
        if end > len(rest):
            return False
        parts.append(rest[_LENGTH:end])
        rest = rest[end:]
    return not rest and len(parts) > 1 and parts[0] == kind.encode()
