"""The line protocol: one JSON document a line each way, over pipes (`workers`) or a private socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Protocol

from ngp.daemons import peers, record
from ngp.daemons.record import DaemonRecord

MOST_BYTES = 16 << 20  # of one line
_GREETING_S = 2.0


class LineConnection(Protocol):
    """A connection to a daemon or worker."""

    def write_line(self, line: str) -> None:
        """Send a line; raise OSError if the other end is closed."""

    def read_line(self, timeout_s: float) -> str | None:
        """Return the next line; None if none comes in time or the other end has closed."""

    def last_words(self) -> str:
        """Return the last output of the other side, which explains its end."""


class SocketConnection:
    """A connection to a daemon that has sent its greeting.

    Raises OSError if this user has no daemon, TimeoutError if it runs but does not answer.
    """

    def __init__(self, found: DaemonRecord) -> None:
        if not record.is_private(found):
            raise PermissionError(f"{found.socket} is not in a private folder of this user")
        self.has_answered = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(_GREETING_S)
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\n")
        try:
            self._socket.connect(str(found.socket))
            if not peers.is_own_peer(self._socket):
                raise PermissionError(f"{found.socket} is another user's")
            self._receive(_GREETING_S)
        except BaseException as error:
            self.__exit__()
            if isinstance(error, BlockingIOError | TimeoutError):  # its queue is full, or it does not answer
                raise TimeoutError(f"{self.last_words()} (process {found.pid})") from error
            raise

    def write_line(self, line: str) -> None:
        """Send a line; raise OSError if the daemon is gone."""
        self._socket.sendall(line.encode() + b"\n")

    def read_line(self, timeout_s: float) -> str | None:
        """Return the next line; None if none comes in time or the daemon is gone."""
        try:
            line = self._receive(timeout_s)
        except OSError:
            return None
        self.has_answered = True
        return line

    def last_words(self) -> str:
        return "the pool does not answer"

    def ask(self, timeout_s: float, **order: Any) -> Mapping[str, Any]:
        """Send an order and return its answer. Raises OSError if there is none, TimeoutError if it comes too late."""
        self.write_line(json.dumps(order))
        return self.read_answer(timeout_s)

    def read_answer(self, timeout_s: float) -> Mapping[str, Any]:
        """Return the next answer. Raises like `ask`, and ValueError if it is not JSON."""
        found: Mapping[str, Any] = json.loads(self._receive(timeout_s))
        return found

    def _receive(self, timeout_s: float) -> str:
        self._socket.settimeout(timeout_s)
        line = self._lines.readline()
        if not line:
            raise ConnectionError(self.last_words())
        return line

    def __enter__(self) -> SocketConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()
