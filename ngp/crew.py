"""A process that has ngp loaded, and forks for each errand: what a command's start costs was paid before.

It has one thread and no state but what it has imported, so that a fork is as good as a fresh start.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import ngp
from ngp import cache, stdio
from ngp.errand import SOCKET
from ngp.proxy.safe import is_own

_LISTEN = 64
_HEADER_S = 2.0
# What the fit commands come to need; none of it reads files or the environment when it is imported
_LOADED = (
    "ngp.cli ngp.commands.plan ngp.commands.graph ngp.commands.output ngp.commands.status ngp.commands.render "
    "ngp.commands.validate ngp.commands.running ngp.commands.reading ngp.commands.checking ngp.commands.narrowing "
    "ngp.runs.planning ngp.runs.context ngp.runs.outputs ngp.views.runs ngp.views.progress ngp.views.graph "
    "ngp.views.outputs ngp.pool.door ngp.terraform.toolchain ngp.sandbox.seed ngp.rendering.trees http.client "
    "ngp.environments.schemas rich.table rich.live rich.console"
)


def main(argv: list[str]) -> None:
    """Serve errands until the input ends, which is the pool's end."""
    (folder,) = argv
    os.umask(0o077)
    built = cache.program()
    for name in _LOADED.split():
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for an errand but its command
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(Path(folder) / SOCKET))
        listener.listen(_LISTEN)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            with suppress(OSError, ValueError, KeyError):
                _take(listener.accept()[0], built, listener)


def _take(connection: socket.socket, built: str, listener: socket.socket) -> None:
    """Fork for one errand; say nothing where it is not to be run here."""
    with connection:
        connection.settimeout(_HEADER_S)
        if not is_own(connection):
            return
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        try:
            about = _read(connection)
            if about["code"] != str(Path(ngp.__file__).parent) or cache.program() != built or len(streams) != 3:
                return
            if os.fork() == 0:
                listener.close()
                _work(connection, streams, about)
        finally:
            for stream in streams:
                os.close(stream)


def _read(connection: socket.socket) -> Mapping[str, Any]:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        parts.append(connection.recv(1 << 16))
        if not parts[-1]:
            raise ValueError("it has hung up")
    about: Mapping[str, Any] = json.loads(b"".join(parts))
    return about


def _work(connection: socket.socket, streams: Sequence[int], about: Mapping[str, Any]) -> None:
    """Be the command: its streams, surroundings and signals; never returns."""
    code = 70
    try:
        connection.settimeout(None)
        os.setsid()  # signals for the crew are not for it
        _become(streams, about)
        connection.sendall(f"{os.getpid()}\n".encode())
        threading.Thread(target=_watch, args=(connection,), daemon=True).start()
        from ngp import cli

        code = cli.run()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        with suppress(OSError):
            connection.sendall(f"{code}\n".encode())
        os._exit(code)


def _become(streams: Sequence[int], about: Mapping[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        usual = signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL
        signal.signal(one, signal.SIG_IGN if one in about["ignored"] else usual)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    stdio.install(about["encodings"])
    os.umask(about["umask"])
    os.chdir(about["cwd"])
    os.environ.clear()
    os.environ.update(about["environ"])
    sys.argv = ["ngp", *about["argv"]]


def _watch(connection: socket.socket) -> None:
    """Its command was killed: end as a command does whose shell went away."""
    with suppress(OSError):
        connection.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
