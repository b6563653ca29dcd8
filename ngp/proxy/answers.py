"""Keyed digests of the requests that a provider accepted unchanged; no request can be read from them."""

from __future__ import annotations

from ngp.proxy.sealed_store import SealedStore

_MOST = 20_000  # the oldest are dropped
_DIGEST_BYTES = 32


class Answers:
    """The digests of one package, read once and written by `save`."""

    def __init__(self, store: SealedStore, package_hash: str) -> None:
        self._store, self._name = store, f"yes-{store.digest(package_hash.encode())}"
        kept = store.read(self._name) or b""
        digests = (kept[at : at + _DIGEST_BYTES] for at in range(0, len(kept), _DIGEST_BYTES))
        self._digests: dict[str, None] = dict.fromkeys(digest.hex() for digest in digests)
        self._changed = False

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def remember(self, digest: str) -> None:
        """Add a digest as the newest."""
        self._changed |= digest not in self._digests
        self._digests.pop(digest, None)
        self._digests[digest] = None

    def save(self) -> None:
        """Write the digests if there are new ones."""
        if self._changed:
            self._store.write(self._name, b"".join(bytes.fromhex(one) for one in [*self._digests][-_MOST:]))
            self._changed = False
