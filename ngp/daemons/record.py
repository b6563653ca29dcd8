"""Records of daemons: a file in a private folder of the platform that names the daemon's socket folder."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ngp import cache, files
from ngp.daemons import peers, sockets

_FILE = "record.json"


@dataclass(frozen=True)
class DaemonRecord:
    """A daemon. `built` identifies the ngp that it runs, `folder` holds its sockets."""

    pid: int
    folder: str
    built: str
    started: str  # UTC, ISO 8601

    @property
    def socket(self) -> Path:
        """The socket that commands connect to."""
        return Path(self.folder) / "pool"

    @property
    def is_ours(self) -> bool:
        """Whether the daemon runs the same ngp as this process; others must not be used."""
        return self.built == cache.program()


def load(path: Path) -> Any:
    """Return the JSON of a file that this user wrote; None if it is missing, a link, another user's or not JSON."""
    with suppress(ValueError):
        return json.loads(peers.read_own(path) or b"null")
    return None


def read(home: Path) -> DaemonRecord | None:
    """Return the record in `home`, even if its daemon has ended; None if this user has none."""
    with suppress(TypeError):
        found = DaemonRecord(**load(home / _FILE))
        return found if isinstance(found.pid, int) and isinstance(found.folder, str) else None
    return None


def write(home: Path, record: DaemonRecord) -> None:
    """Write the record, so that commands find the daemon."""
    files.write(files.private_folder(home) / _FILE, json.dumps(asdict(record)) + "\n", mode=0o600)


def forget(home: Path, record: DaemonRecord) -> None:
    """Remove the record, unless it names another daemon."""
    if read(home) == record:
        (home / _FILE).unlink(missing_ok=True)


def is_alive(record: DaemonRecord) -> bool:
    """Return whether the daemon runs, even if it is slow: it locks its folder as long as it lives."""
    return files.is_folder_locked(Path(record.folder))


def is_private(record: DaemonRecord) -> bool:
    """Return whether the folder belongs to a daemon, and only this user can have replaced its socket."""
    with suppress(OSError):
        socket = record.socket.lstat()
        is_daemons = Path(record.folder).name.startswith(sockets.PREFIX) and stat.S_ISSOCK(socket.st_mode)
        return is_daemons and socket.st_uid == os.getuid() and peers.is_private_folder(record.folder)
    return False
