"""What both launchers share: a socket on loopback, its announcement, and the sign."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from ngp import files

HOST = "127.0.0.1"
LOOK_EVERY_S = 2.0


def listen(port: int, announcement: str) -> socket.socket:
    """Listen on loopback alone (0: any free port) and write the port to `announcement`; end when that is gone."""
    listener = socket.create_server((HOST, port), backlog=128)
    bound = str(listener.getsockname()[1])
    files.write(Path(announcement), bound, mode=0o600)
    threading.Thread(target=_end_with, args=(Path(announcement), bound), daemon=True).start()
    return listener


def sign(name: str) -> bytes:
    """The body that a launcher answers under `engines.SIGN`."""
    return json.dumps({"id": name, "pid": os.getpid()}).encode()


def _end_with(announcement: Path, port: str) -> None:
    """End a server that nobody can find: its folder was deleted, or the one of the next server is there.

    A `sandbox start` that was killed leaves such a one.
    """
    with suppress(OSError):
        while announcement.read_text() == port:
            time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
