"""Worker processes: controlled by lines over pipes, and stopped when this process ends."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from ngp.processes import PIPE_GRACE_S, Drain, ProcessRequest, popen

_LOOK_S = 0.005  # between checks of a worker that should end on its own


class Worker:
    """A process that serves this one and stops with it, however this process ends.

    With `folder`, a shell watches this process: it kills the worker's group and removes the folder. Without it, the
    worker stops when its input ends.
    """

    def __init__(self, request: ProcessRequest, *, folder: Path | None = None) -> None:
        self._process = popen(request, with_input=folder is None, tied=False)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=200)
        self._out = Drain(self._process.stdout, self._lines.put)
        self._err = Drain(self._process.stderr, self._last_words.append)
        self._watcher = _watch(self._process.pid, folder) if folder else None

    def is_running(self) -> bool:
        """Return whether it runs. Its pid stays reserved until `end`, so that no other process group is killed."""
        if self._process.returncode is not None:
            return False
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        return self._process.poll() is None or self._disarm()  # macOS before Python 3.13 has no other way to check

    def write_line(self, line: str) -> None:
        """Send a line; raise OSError if the worker has closed its input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read_line(self, timeout_s: float) -> str | None:
        """Return the next line; None if none comes in time or the worker has ended."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not (self._out.is_done(0) and self._lines.empty()):
            with suppress(queue.Empty):
                return self._lines.get(timeout=0.05)
        return None

    def last_words(self) -> str:
        """Return the last lines of its stderr. Waits for a worker that is ending."""
        self._err.is_done(PIPE_GRACE_S)
        return "\n".join(self._last_words)

    def end(self, *, grace_s: float = 0.0) -> None:
        """Close its input, and kill its whole process group after `grace_s`."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        deadline = time.monotonic() + grace_s
        self._out.is_done(grace_s)  # returns as soon as it ends
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        self._disarm()
        if self._process.returncode is None:  # its pid is not free yet
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _disarm(self) -> bool:
        """Stop the watcher before the pid is free, or it would kill the next process with that pid. Always False."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None
        return False


def _watch(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    script = 'exec >/dev/null 2>&1; read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"'
    return subprocess.Popen(
        ("/bin/sh", "-c", script, "sh", str(pid), str(folder)),
        stdin=subprocess.PIPE,  # only this process holds the other end
        env={"PATH": os.defpath},
        start_new_session=True,
    )
