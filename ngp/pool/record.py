"""Where a platform's pool is found: a record in `.ngp/pool/`, which leads to a socket in a private folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ngp import cache, files

# What HTTP and TLS libraries read of the environment: calls made elsewhere must go the same way
_SURROUNDINGS = (
    *(
        "HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_PREFIX = "ngp-"  # how the names begin that `ngp.proxy.session.socket_folder` gives


@dataclass(frozen=True)
class Record:
    """A pool that was started. `built` names the ngp that it runs, `folder` holds its sockets."""

    pid: int
    folder: str
    built: str
    started: str

    @property
    def socket(self) -> Path:
        return Path(self.folder) / "pool"

    @property
    def is_ours(self) -> bool:
        """Whether the pool runs this ngp; another one's is used by nobody here."""
        return self.built == cache.program()


def home(workspace: Path) -> Path:
    """The folder of a platform's pool below its `.ngp`."""
    return workspace / "pool"


def read(workspace: Path) -> Record | None:
    """The record, whether or not its pool still runs; None where there is none, or none that this user wrote."""
    path = home(workspace) / "record.json"
    with suppress(OSError, ValueError, TypeError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, encoding="utf-8") as file:
            if os.fstat(handle).st_uid == os.getuid():
                found = Record(**json.load(file))
                return found if isinstance(found.pid, int) and isinstance(found.folder, str) else None
    return None


def write(workspace: Path, record: Record) -> None:
    """Let the pool be found."""
    files.private_folder(home(workspace))
    files.write(home(workspace) / "record.json", json.dumps(asdict(record)) + "\n", mode=0o600)


def forget(workspace: Path, record: Record) -> None:
    """Let the pool be found no more; another one's record stays."""
    if read(workspace) == record:
        (home(workspace) / "record.json").unlink(missing_ok=True)


def is_alive(record: Record) -> bool:
    """Whether the pool runs, be it ever so slow: it holds its folder for its life."""
    return files.is_held(Path(record.folder))


def is_private(record: Record) -> bool:
    """Whether the folder is a pool's, and nobody but this user can have put something in the place of its socket."""
    with suppress(OSError):
        folder, socket = Path(record.folder).lstat(), record.socket.lstat()
        is_closed = stat.S_ISDIR(folder.st_mode) and not stat.S_IMODE(folder.st_mode) & 0o077
        is_pools = Path(record.folder).name.startswith(_PREFIX) and stat.S_ISSOCK(socket.st_mode)
        return is_closed and is_pools and folder.st_uid == socket.st_uid == os.getuid()
    return False


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the environment decides by which way AWS is reached."""
    return {name: environ[name] for name in _SURROUNDINGS if name in environ}
