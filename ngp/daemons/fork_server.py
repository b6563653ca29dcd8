"""Fork server: a process that has ngp loaded and forks for each command, so that commands start faster.

It has one thread and no state except its imports, so a fork equals a fresh start.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ngp
from ngp import cache, stdio
from ngp.daemons import peers
from ngp.daemons.client import GREETING, SIGNALS, SOCKET, is_served

_BACKLOG = 64
_HEADER_S = 2.0
_BROKEN = 70  # the exit code of a command that could report none


@dataclass(frozen=True)
class Program:
    """What the server runs. `built` identifies the ngp that it loaded."""

    built: str
    run: Callable[[], int]


def serve(folder: Path, program: Program) -> None:
    """Listen in `folder` and run commands until the input ends, together with the daemon that started this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # only the client waits for a command
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen(_BACKLOG)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            # a bad request must not stop the server: the client then runs the command itself
            with suppress(Exception):
                _take(listener.accept()[0], program, listener)


def _take(connection: socket.socket, program: Program, listener: socket.socket) -> None:
    """Fork for one command, or close the connection of one that the client must run itself."""
    with connection:
        connection.settimeout(_HEADER_S)
        if not peers.is_own_peer(connection):
            return
        connection.sendall(GREETING)
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        try:
            request = _read(connection)
            is_same = request["code"] == str(Path(ngp.__file__).parent) and cache.read_program() == program.built
            if not is_same or len(streams) != 3 or not is_served(request["argv"], request["environ"]):
                return
            if os.fork() == 0:
                listener.close()
                _work(connection, streams, request, program.run)
        finally:
            for stream in streams:
                os.close(stream)


def _read(connection: socket.socket) -> Mapping[str, Any]:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        parts.append(connection.recv(1 << 16))
        if not parts[-1]:
            raise ValueError("the client has closed the connection")
    request: Mapping[str, Any] = json.loads(b"".join(parts))
    return request


def _work(
    connection: socket.socket, streams: Sequence[int], request: Mapping[str, Any], run: Callable[[], int]
) -> None:
    """Become the command: take its streams, environment and signals. Never returns.

    Sends nothing to the client on failure: the client then runs the command itself.
    """
    code, has_started = _BROKEN, False
    try:
        connection.settimeout(None)
        os.setsid()  # signals for the server must not reach it
        _become(streams, request)
        connection.sendall(f"{os.getpid()}\n".encode())
        has_started = True
        threading.Thread(target=_watch, args=(connection,), daemon=True).start()
        code = run()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        if has_started:
            with suppress(OSError):
                connection.sendall(f"{code}\n".encode())
        os._exit(code)


def _become(streams: Sequence[int], request: Mapping[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for one in SIGNALS:
        usual = signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL
        signal.signal(one, signal.SIG_IGN if one in request["ignored"] else usual)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    stdio.install(request["encodings"])
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = ["ngp", *request["argv"]]


def _watch(connection: socket.socket) -> None:
    """Stop the command if its client was killed."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
