"""A command that the pool runs in this one's place: by a process that has everything loaded, with our own streams.

Imports little: it is what stands between the shell and the first thing done.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

SOCKET = "errands"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CONNECT_S = 1.0
_OFF = ("0", "false", "no", "off", "")  # as `ngp.settings.FALSE`


def run(record: str, argv: Sequence[str]) -> int | None:
    """The exit code of a command line that the pool of this record has run; None where this process must run it."""
    if os.environ.get("NGP_PROVIDER_PROXY", "1").lower() in _OFF:
        return None
    # whatever fails before the errand has begun, this process does it all itself
    with suppress(OSError, ValueError, KeyError, AttributeError), _connect(record) as to:
        streams = [stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)]
        socket.send_fds(to, [b"!"], streams)
        to.sendall(json.dumps(_about(argv)).encode() + b"\n")
        lines = to.makefile("r", encoding="ascii")
        pid = int(lines.readline())  # empty where it refuses
        to.settimeout(None)
        with _forwarding(pid):
            return _ended(lines)
    return None


def _ended(lines: IO[str]) -> int:
    """Its exit code; that of a killed one where it could not say any."""
    with suppress(OSError, ValueError):
        return int(lines.readline())
    return 128 + signal.SIGKILL


def _about(argv: Sequence[str]) -> dict[str, object]:
    import ngp

    mask = os.umask(0)
    os.umask(mask)
    return {
        "umask": mask,
        "argv": [*argv],
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "code": os.path.dirname(ngp.__file__),
        "encodings": [stream.encoding for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "ignored": [int(number) for number in _SIGNALS if signal.getsignal(number) is signal.SIG_IGN],
    }


def _connect(record: str) -> socket.socket:
    """Raises OSError where there is none, or none of this user's in a private folder.

    The same questions as those of `ngp.pool.record` and `ngp.proxy.safe`, without all that these load.
    """
    handle = os.open(record, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, encoding="utf-8") as file:
        if os.fstat(handle).st_uid != os.getuid():
            raise PermissionError
        folder = json.load(file)["folder"]
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError
    to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        to.settimeout(_CONNECT_S)
        to.connect(os.path.join(folder, SOCKET))
        if not _is_own(to):
            raise PermissionError
    except OSError:
        to.close()
        raise
    return to


def _is_own(to: socket.socket) -> bool:
    if sys.platform != "linux":
        return True
    credentials = to.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # ucred: pid, uid, gid
    return int.from_bytes(credentials[4:8], sys.byteorder) == os.getuid()


@contextmanager
def _forwarding(pid: int) -> Iterator[None]:
    """What is signalled to this process is meant for that one."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    yield
