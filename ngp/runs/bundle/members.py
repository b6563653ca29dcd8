"""Members of a bundle file: bytes or files with a digest."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1024 * 1024  # bytes per read


@dataclass(frozen=True)
class Member:
    """One file or link of the content. `digest` is the SHA-256 of its bytes, or of a link's target."""

    name: str
    digest: str
    mode: int = 0o600
    size: int = 0
    link: str = ""  # the target of a symbolic link, relative to it


@dataclass(frozen=True)
class Content:
    """The source of a member: bytes, or a file or link on the disk."""

    data: bytes = b""
    path: Path | None = None

    def member(self, name: str) -> Member:
        """Return the member with its digest."""
        if self.path is None:
            return Member(name, hashlib.sha256(self.data).hexdigest(), size=len(self.data))
        found = self.path.lstat()
        if stat.S_ISLNK(found.st_mode):
            target = str(self.path.readlink())
            return Member(name, hashlib.sha256(target.encode()).hexdigest(), 0o777, link=target)
        return Member(name, _digest(self.path), stat.S_IMODE(found.st_mode) & 0o777, found.st_size)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the content in pieces."""
        if self.path is None:
            yield self.data
            return
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
