"""Seals of stored data: a MAC in front of the data proves that it was written with a key."""

from __future__ import annotations

import hmac

BYTES = 32  # of a seal, and at least of a key


def seal(key: bytes, name: str, data: bytes) -> bytes:
    """Return `data` with its seal in front, which also covers the name of the entry."""
    return _mac(key, name, data) + data


def unseal(key: bytes, name: str, sealed: bytes) -> bytes | None:
    """Return the data of a sealed entry; None if it was written without the key, or for another name."""
    data = sealed[BYTES:]
    return data if hmac.compare_digest(sealed[:BYTES], _mac(key, name, data)) else None


def _mac(key: bytes, name: str, data: bytes) -> bytes:
    return hmac.digest(key, name.encode() + b"\0" + data, "sha256")
