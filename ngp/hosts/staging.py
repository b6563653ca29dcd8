"""Temporary files of a copy, private until they are compared and in place."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.hosts.host import Host
from ngp.hosts.remote import Emit, HostCopied

PIECE = 128 * 1024
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # until the copy is whole
_AT_ONCE = 100  # files for one command
_NAMED = 5  # paths in one problem


class CopyError(Exception):
    """A failed copy; the text is the reason."""


@dataclass(frozen=True)
class Staged:
    """A file under its temporary name, with the size and checksum of what was copied and the mode that it gets."""

    temporary: str
    final: str
    source: str
    size: int
    digest: str
    mode: int


@dataclass
class Counter:
    """Counts the copied bytes of one host and emits them."""

    host: Host
    emit: Emit
    total: int = 0
    done: int = 0

    def add(self, size: int) -> None:
        """Count bytes that were copied. A file that grows meanwhile makes no share above 100 %."""
        self.done += size
        self.emit(HostCopied(self.host, min(self.done, self.total), self.total))


def temporary_name(name: str) -> str:
    """Return the name of a file until it is whole; it begins with a dot."""
    return f".{name}.{secrets.token_hex(4)}"


@contextmanager
def about(path: str | Path, *, here: bool = False) -> Iterator[None]:
    """Add the path and its side to an error. A lost connection is passed on unchanged."""
    import asyncssh

    try:
        yield
    except asyncssh.SFTPConnectionLost:
        raise
    except asyncssh.SFTPError as error:
        if here:
            raise
        raise CopyError(f"{path} on the host: {str(error).lower()}") from None
    except OSError as error:
        if not here:
            raise
        raise CopyError(f"{path} here: {(error.strerror or str(error)).lower()}") from None


async def differing(connection: Any, files: Mapping[str, Staged], *, grow: bool = False) -> dict[str, str]:
    """Return the paths on the host that do not hold the bytes that were copied, and why.

    Files that may `grow` meanwhile, as a log does, need only begin with them.
    """
    found: dict[str, str] = {}
    paths = list(files)
    for at in range(0, len(paths), _AT_ONCE):
        some = paths[at : at + _AT_ONCE]
        read = "head -c {size} < {path} | sha256sum" if grow else "sha256sum < {path}"
        commands = "; ".join(read.format(size=files[path].size, path=shlex.quote(path)) for path in some)
        done = await connection.run(commands, check=False)
        digests = [line.split()[0] for line in str(done.stdout).splitlines() if line.split()]
        if len(digests) != len(some):
            raise CopyError(f"cannot compare checksums: {str(done.stderr).strip()}")
        pairs = zip(some, digests, strict=True)
        found |= {
            path: "the checksum of the copy differs" for path, checksum in pairs if checksum != files[path].digest
        }
    return found


def require_all(problems: Sequence[str]) -> None:
    """Raise CopyError if anything was not copied; the first ones are named."""
    if problems:
        more = f"; {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise CopyError(f"not copied: {'; '.join(problems[:_NAMED])}{more}")
