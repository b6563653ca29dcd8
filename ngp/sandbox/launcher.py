"""Starts moto's patched server on loopback: ``python -m ngp.sandbox.launcher NAME PORT ANNOUNCEMENT``."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from ngp import files
from ngp.sandbox import emulator

HOST = "127.0.0.1"
_LOOK_S = 2.0


def main(argv: list[str]) -> None:
    """Serve until SIGTERM. The port is bound first, so that early clients wait instead of failing."""
    name, port, announcement = argv
    signal.signal(signal.SIGTERM, _leave)
    listener = listen(int(port), announcement)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    from ngp_emulator import patches, turns

    patches.apply()
    turns.give_up_while_waiting()
    app = signed(turns.serialized(DomainDispatcherApplication(create_backend_app)), name)
    host, bound = listener.getsockname()
    server = make_server(host, bound, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.detach())
    server.serve_forever()


def listen(port: int, announcement: str) -> socket.socket:
    """Listen on loopback (port 0: any free one), write the port to `announcement`, and end when that file is
    deleted."""
    listener = socket.create_server((HOST, port), backlog=128)
    bound = str(listener.getsockname()[1])
    files.write(Path(announcement), bound, mode=0o600)
    threading.Thread(target=_end_with, args=(Path(announcement), bound), daemon=True).start()
    return listener


def signed(app: Callable[..., Iterable[bytes]], name: str) -> Callable[..., Iterable[bytes]]:
    """Return the WSGI application `app` with an address that returns the server's name."""
    sign = json.dumps({"id": name, "pid": os.getpid()}).encode()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != emulator.SIGN:
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(sign)))])
        return [sign]

    return serve


def _end_with(announcement: Path, port: str) -> None:
    """End this server when nobody can find it: its folder is gone, or holds the port of the next server.

    A `sandbox start` that was killed leaves such a server.
    """
    while _is_announced(announcement, port):
        time.sleep(_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_announced(announcement: Path, port: str) -> bool:
    try:
        return announcement.read_text() == port
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # too many open files, for example: it may well be there
        return True


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
