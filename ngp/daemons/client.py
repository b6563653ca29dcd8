"""Client of the fork server: has it run this process's command, with this process's streams.

It imports little: it runs before anything else of ngp is loaded.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from ngp.daemons import peers

SOCKET = "commands"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CONNECT_S = 1.0
_OFF = ("0", "false", "no", "off", "")  # as `ngp.settings.FALSE`


def run(record: str, argv: Sequence[str]) -> int | None:
    """Run a command line in the fork server of this record; return its exit code, None if this process must run it."""
    if os.environ.get("NGP_PROVIDER_PROXY", "1").lower() in _OFF:
        return None
    # whatever fails before the command has started, this process runs it itself
    with suppress(OSError, ValueError, KeyError, AttributeError, TypeError), _connect(record) as to:
        streams = [stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)]
        socket.send_fds(to, [b"!"], streams)
        to.sendall(json.dumps(_describe(argv)).encode() + b"\n")
        lines = to.makefile("r", encoding="ascii")
        pid = int(lines.readline())  # empty if it refuses
        to.settimeout(None)
        with _forwarding(pid):
            return _exit_code(lines)
    return None


def _exit_code(lines: IO[str]) -> int:
    """Return the exit code; that of a killed process if it could send none."""
    with suppress(OSError, ValueError):
        return int(lines.readline())
    return 128 + signal.SIGKILL


def _describe(argv: Sequence[str]) -> dict[str, object]:
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
        "ignored": [int(number) for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN],
    }


def _connect(record: str) -> socket.socket:
    """Connect to the fork server; raise OSError if there is none of this user in a private folder."""
    folder = json.loads(peers.read_own(record) or b"{}")["folder"]
    if not peers.is_private_folder(folder):
        raise PermissionError
    to = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        to.settimeout(_CONNECT_S)
        to.connect(os.path.join(folder, SOCKET))
        if not peers.is_own_peer(to):
            raise PermissionError
    except OSError:
        to.close()
        raise
    return to


@contextmanager
def _forwarding(pid: int) -> Iterator[None]:
    """Forward signals for this process to the one that runs the command."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    yield
