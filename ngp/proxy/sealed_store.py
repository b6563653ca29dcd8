"""A private folder whose entries carry a MAC: what was not written with its key is ignored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import files, seals
from ngp.daemons import peers, sockets
from ngp.errors import RefusedError

_KEY = "key"


@dataclass(frozen=True)
class SealedStore:
    """A folder (0700, owned by this user) and its key. Names of entries contain no ``/``."""

    folder: Path
    key: bytes

    def read(self, name: str) -> bytes | None:
        """Return an entry's content, or None if it is missing or was written without the key."""
        sealed = peers.read_own(self.folder / name)
        return None if sealed is None else seals.unseal(self.key, name, sealed)

    def write(self, name: str, data: bytes) -> None:
        """Write an entry atomically. Errors of the disk are ignored: the entry is then computed again."""
        with suppress(OSError):
            files.write_bytes(self.folder / name, seals.seal(self.key, name, data), mode=0o600, durable=False)

    def digest(self, *parts: bytes) -> str:
        """Return a keyed digest of `parts`; without the key nobody can test guesses against it."""
        whole = hmac.new(self.key, digestmod=hashlib.sha256)
        for part in parts:
            whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()


def open_store(folder: Path) -> SealedStore:
    """Open the store at `folder`, created if missing.

    Raises RefusedError if the folder is a symbolic link, belongs to another user, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sockets.require_private(folder)
        key = peers.read_own(folder / _KEY)
        if key is None or len(key) < seals.BYTES:
            files.write_bytes(folder / _KEY, secrets.token_bytes(seals.BYTES), mode=0o600, durable=False)
            key = peers.read_own(folder / _KEY)
    except OSError as error:
        raise RefusedError("the provider proxy cannot keep anything here", where=str(folder), why=str(error)) from None
    if key is None:
        raise RefusedError("the provider proxy's key cannot be read back", where=str(folder / _KEY))
    return SealedStore(folder, key)
