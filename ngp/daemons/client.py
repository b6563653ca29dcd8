"""Client of the fork server: runs this process's command in it, with this process's streams.

It imports little, because it runs before anything else of ngp is loaded.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO

from ngp.daemons import peers

# Commands that the fork server may run. They change nothing in a region, and ask nothing: a question needs the process
# of the terminal
SERVED = frozenset({"plan", "graph", "output", "status", "render", "validate"})
SOCKET = "commands"
GREETING = b"!"  # the server's first message: streams sent to a silent server could not be closed
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CONNECT_S = 1.0
_OFF = ("0", "false", "no", "off", "")  # as `ngp.settings.FALSE`


def is_served(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether the fork server may run a command line. It signs no bundle: ssh-keygen asks at the terminal."""
    may_sign = "NGP_OUT" in environ or any(word.startswith("--out") for word in argv)
    return bool(argv) and argv[0] in SERVED and not may_sign


def run(record: str, argv: Sequence[str]) -> int | None:
    """Run a command line in the fork server of this record. Return its exit code, or None if this process must run it.

    The server learns nothing of a command that it does not run.
    """
    if not is_served(argv, os.environ) or os.environ.get("NGP_PROVIDER_PROXY", "1").lower() in _OFF:
        return None
    # if anything fails before the command starts, this process runs it itself
    with suppress(OSError, ValueError, KeyError, AttributeError, TypeError), _connect(record) as to:
        streams = [stream.fileno() for stream in (sys.stdin, sys.stdout, sys.stderr)]
        _require_greeting(to)
        socket.send_fds(to, [b"!"], streams)
        to.sendall(json.dumps(_describe(argv)).encode() + b"\n")
        lines = to.makefile("r", encoding="ascii")
        pid = int(lines.readline())  # empty if it refuses
        to.settimeout(None)
        with _forwarding(pid):
            return _exit_code(lines)
    return None


def _require_greeting(to: socket.socket) -> None:
    """Raise OSError if the server does not answer because it is too busy or hangs."""
    if to.recv(len(GREETING)) != GREETING:
        raise ConnectionAbortedError


def _exit_code(lines: IO[str]) -> int:
    """Return the exit code of the command, or that of a killed process if none arrived."""
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
    """Connect to the fork server. Raises OSError if this user has none in a private folder."""
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
    """Forward signals of this process to the one that runs the command."""

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, forward)
    yield
