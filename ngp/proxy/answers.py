"""Which requests a package has answered by a plain yes: keyed digests, and nothing from which to read a request."""

from __future__ import annotations

from ngp.proxy.safe import Safe

_MOST = 20_000  # the oldest are forgotten
_DIGEST_BYTES = 32


class Answers:
    """The digests of one package, read once and written by `keep`."""

    def __init__(self, safe: Safe, package_hash: str) -> None:
        self._safe, self._name = safe, f"yes-{safe.digest(package_hash.encode())}"
        kept = safe.read(self._name) or b""
        digests = (kept[at : at + _DIGEST_BYTES] for at in range(0, len(kept), _DIGEST_BYTES))
        self._digests: dict[str, None] = dict.fromkeys(digest.hex() for digest in digests)
        self._changed = False

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def remember(self, digest: str) -> None:
        """Take a digest up as the newest."""
        self._changed |= digest not in self._digests
        self._digests.pop(digest, None)
        self._digests[digest] = None

    def keep(self) -> None:
        """Write them down, if there are new ones."""
        if self._changed:
            self._safe.write(self._name, b"".join(bytes.fromhex(one) for one in [*self._digests][-_MOST:]))
            self._changed = False
