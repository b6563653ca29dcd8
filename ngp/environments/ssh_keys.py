"""SSH public keys as text, the way ``authorized_keys`` and Git write them: ``ssh-ed25519 AAAA… comment``.

Source: RFC 4253, section 6.6, and PROTOCOL.u2f of OpenSSH for the keys of security tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

# Kind → number of fields after the kind's name
_FIELDS = {
    "ssh-ed25519": 1,
    "sk-ssh-ed25519@openssh.com": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
    "ssh-rsa": 2,
}
_LENGTH = 4  # bytes in front of each field


@dataclass(frozen=True)
class PublicKey:
    """A public key. `blob` is what the Base64 text encodes."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Return ``SHA256:…``, as ssh-keygen prints it."""
        return f"SHA256:{base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip('=')}"

    def __str__(self) -> str:
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


def parse(text: str) -> PublicKey:
    """Read a public key; a comment after it is ignored. Raises ValueError with the reason if it is invalid."""
    words = text.split()
    if len(words) < 2 or "\n" in text.strip():
        raise ValueError("a public key is one line, such as `ssh-ed25519 AAAA… anna`")
    kind, encoded = words[:2]
    if kind not in _FIELDS:
        raise ValueError(f"`{kind[:40]}` is not a supported kind of key; supported: {', '.join(_FIELDS)}")
    try:
        key = read(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError(f"the text after `{kind}` is not a whole key") from None
    if key.kind != kind:
        raise ValueError(f"it begins with `{kind}`, but contains a key of the type `{key.kind[:40]}`")
    return key


def whole(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the keys that are whole: a console may cut a line, and a file may hold anything."""

    def is_whole(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return tuple(filter(is_whole, texts))


def read(blob: bytes) -> PublicKey:
    """Return the key that a blob encodes. Raises ValueError if it is incomplete or of an unsupported kind."""
    fields = []
    rest = blob
    while rest:
        field, rest = take(rest)
        fields.append(field)
    kind = fields[0].decode("ascii") if fields else ""
    if _FIELDS.get(kind) != len(fields) - 1 or not all(fields):
        raise ValueError(f"it is not a key of a supported kind: `{kind[:40]}`")
    return PublicKey(kind, blob)


def take(data: bytes) -> tuple[bytes, bytes]:
    """Return the first length-prefixed field of `data`, and the rest."""
    size = int.from_bytes(data[:_LENGTH], "big")
    if len(data) < _LENGTH + size:
        raise ValueError("a field is cut off")
    return data[_LENGTH : _LENGTH + size], data[_LENGTH + size :]
