"""Files of a copy under temporary names, closed to other users until they are compared and in place."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ngp.hosts.host import Host
from ngp.hosts.remote import HostCopied, Tell

PIECE = 128 * 1024
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # until the copy is whole
_AT_ONCE = 100  # files for one sha256sum


class CopyError(Exception):
    """A copy that did not succeed; the text says why."""


@dataclass(frozen=True)
class Staged:
    """A file under its temporary name, with the checksum of what it must hold and the mode that it gets."""

    temporary: str
    final: str
    source: str
    digest: str
    mode: int


@dataclass
class Counter:
    """Counts the bytes of one host and tells of them."""

    host: Host
    tell: Tell
    total: int = 0
    done: int = 0

    def add(self, size: int) -> None:
        """Count bytes that were copied. A file that grows meanwhile makes no share above 100 %."""
        self.done += size
        self.tell(HostCopied(self.host, min(self.done, self.total), self.total))


def temporary_name(name: str) -> str:
    """Return the name of a file until it is whole; it begins with a dot."""
    return f".{name}.{secrets.token_hex(4)}"


async def compare(connection: Any, digests: Mapping[str, str]) -> None:
    """Raise CopyError where a file on the host does not have its checksum."""
    paths = list(digests)
    for at in range(0, len(paths), _AT_ONCE):
        some = paths[at : at + _AT_ONCE]
        commands = "; ".join(f"sha256sum < {shlex.quote(path)}" for path in some)
        done = await connection.run(commands, check=False)
        found = [line.split()[0] for line in str(done.stdout).splitlines() if line.split()]
        if found != [digests[path] for path in some]:
            raise CopyError(f"a checksum differs after the copy: {str(done.stderr).strip() or ', '.join(some)}")
