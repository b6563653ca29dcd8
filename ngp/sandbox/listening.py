"""What both launchers share: a socket on loopback, its announcement, and the sign."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

from ngp import files

HOST = "127.0.0.1"
LOOK_EVERY_S = 2.0


def listen(port: int, announcement: str) -> socket.socket:
    """Listen on loopback alone (0: any free port) and write the port to `announcement`; end when that file goes."""
    listener = socket.create_server((HOST, port), backlog=128)
    files.write(Path(announcement), str(listener.getsockname()[1]), mode=0o600)
    threading.Thread(target=_end_with, args=(Path(announcement),), daemon=True).start()
    return listener


def sign(name: str) -> bytes:
    """The body that a launcher answers under `engines.SIGN`."""
    return json.dumps({"id": name, "pid": os.getpid()}).encode()


def _end_with(announcement: Path) -> None:
    """A server whose folder was deleted (``git clean``, ``rm -r``) can be found by nobody: it ends by itself."""
    while announcement.exists():
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
