"""What both launchers share: a socket on loopback, its announcement, and the sign."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from ngp import files

HOST = "127.0.0.1"


def listen(port: int, announcement: str) -> socket.socket:
    """Listen on loopback alone (0: any free port) and write the port to the file `announcement`."""
    listener = socket.create_server((HOST, port), backlog=128)
    files.write(Path(announcement), str(listener.getsockname()[1]), mode=0o600)
    return listener


def sign(name: str) -> bytes:
    """The body that a launcher answers under `engines.SIGN`."""
    return json.dumps({"id": name, "pid": os.getpid()}).encode()
