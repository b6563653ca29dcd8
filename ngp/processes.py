"""The one door to other processes: their own group, streamed output, an end that is always reached."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from ngp import ties

GRACE_S = 30.0  # Terraform needs a while after SIGINT: it ends calls under way and writes its state
_LOOK_S = 0.1  # how often a process that may be stopped is looked after
_PIPE_GRACE_S = 2.0  # how long a pipe may stay open after its process has ended
_running: set[int] = set()  # process groups that `run` waits for


@dataclass(frozen=True)
class Request:
    """What to start. `env` is the whole environment; nothing is inherited beside it. Without `stdin` it is closed."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout_s: float | None = None
    grace_s: float = GRACE_S
    stdin: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a process. `stdout` and `stderr` are empty where a callback took the lines."""

    exit_code: int
    stdout: str
    stderr: str
    duration_s: float
    stopped: bool = False
    timed_out: bool = False


def run(
    request: Request,
    *,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Run to the end, handing over lines as they come; raise FileNotFoundError where there is no such program.

    A set `stop` (or the time limit) sends one SIGINT to the whole group, waits `grace_s`, then kills. Callbacks are
    called from threads of their own, one for each pipe; what they raise is raised here, after the process has ended.
    """
    began = time.monotonic()
    process = _popen(request)
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = _Drain(process.stdout, on_stdout), _Drain(process.stderr, on_stderr)
    if process.stdin is not None:
        threading.Thread(target=_feed, args=(process.stdin, request.stdin), daemon=True).start()
    stopped = timed_out = False
    _running.add(process.pid)
    try:
        while not _has_ended(process, out, _LOOK_S if stop or request.timeout_s else None):
            stopped = stop is not None and stop.is_set()
            timed_out = request.timeout_s is not None and time.monotonic() - began > request.timeout_s
            if stopped or timed_out:
                _end(process, request.grace_s)
                break
    except BaseException:
        _end(process, request.grace_s)
        raise
    finally:
        _running.discard(process.pid)
    _close(process, out, err)
    duration_s = time.monotonic() - began
    return Outcome(process.returncode, out.text(), err.text(), duration_s, stopped=stopped, timed_out=timed_out)


def start(request: Request, log: Path) -> int:
    """Start a process that outlives this one, its output in `log`; return its pid (also its group's)."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            request.argv,
            cwd=request.cwd,
            env=dict(request.env),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process.pid


def is_alive(pid: int) -> bool:
    """Whether a process with this id runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def kill_all() -> None:
    """Kill every process group that `run` is waiting for: the second Ctrl-C."""
    for pid in tuple(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def end_group(pid: int, *, grace_s: float = 5.0) -> None:
    """End the process group that `start` began: SIGTERM, a wait, SIGKILL."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while is_alive(pid) and time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


class Companion:
    """A process that serves this one and is talked to by lines; it ends with this one, however that ends.

    With `folder` a shell watches: it kills the group and removes the folder. Without, the end of its input tells it.
    """

    def __init__(self, request: Request, *, folder: Path | None = None) -> None:
        self._process = _popen(request, with_input=folder is None, tied=False)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.pid = self._process.pid
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=200)
        self._out = _Drain(self._process.stdout, self._lines.put)
        self._err = _Drain(self._process.stderr, self._last_words.append)
        self._watcher = _watch(self._process.pid, folder) if folder else None

    def is_running(self) -> bool:
        return self._process.poll() is None

    def write_line(self, line: str) -> None:
        """Say a line; raise OSError where nobody listens any more."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read_line(self, timeout_s: float) -> str | None:
        """The next line that it says; None where none comes in time, or it has ended."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not (self._out.is_done(0) and self._lines.empty()):
            with suppress(queue.Empty):
                return self._lines.get(timeout=0.05)
        return None

    def last_words(self) -> str:
        """The last lines of its stderr."""
        self._err.is_done(0 if self.is_running() else _PIPE_GRACE_S)
        return "\n".join(self._last_words)

    def end(self, *, grace_s: float = 0.0) -> None:
        """End it: its input is closed, and after `grace_s` its whole group is killed."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        _has_ended(self._process, self._out, grace_s)
        if self._watcher is not None:  # before the pid is free again: it would kill whoever has it then
            self._watcher.kill()
            self._watcher.communicate()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class _Drain:
    """Reads a pipe to its end in a thread, so that a full pipe never stops the child."""

    def __init__(self, pipe: IO[str], on_line: Callable[[str], None] | None) -> None:
        self._pipe, self._on_line = pipe, on_line
        self._kept: list[str] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def is_done(self, timeout_s: float) -> bool:
        """Wait for the pipe's end; return whether it was reached."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def text(self) -> str:
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return "".join(self._kept)

    def _read(self) -> None:
        with self._pipe:
            for line in self._pipe:
                if self._on_line is None:
                    self._kept.append(line)
                elif self._failure is None:
                    try:
                        self._on_line(line.rstrip("\n"))
                    except BaseException as failure:  # noqa: BLE001  handed to the caller in text()
                        self._failure = failure


def _watch(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    script = 'exec >/dev/null 2>&1; read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"'
    return subprocess.Popen(
        ("/bin/sh", "-c", script, "sh", str(pid), str(folder)),
        stdin=subprocess.PIPE,  # only this process holds the other end
        env={"PATH": os.defpath},
        start_new_session=True,
    )


def _popen(request: Request, *, with_input: bool = False, tied: bool = True) -> subprocess.Popen[str]:
    wrapped = ties.wrap(_setpriv(), request.argv, request.env) if tied and _setpriv() else None
    return subprocess.Popen(
        wrapped or request.argv,
        cwd=request.cwd,
        env=dict(request.env),
        stdin=subprocess.PIPE if request.stdin or with_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        preexec_fn=ties.before_exec(os.getpid()) if tied and not wrapped and sys.platform == "linux" else None,
    )


@cache
def _setpriv() -> str:
    """The setpriv that ties a child to its parent, "" where none here does."""
    found = ties.find()
    tried = (found, *ties.OPTIONS, found, "--version")
    return found if found and subprocess.run(tried, env={}, capture_output=True, check=False).returncode == 0 else ""


def _feed(pipe: IO[str], text: str) -> None:
    with suppress(BrokenPipeError), pipe:  # a child need not read what it is told
        pipe.write(text)


def _has_ended(process: subprocess.Popen[str], out: _Drain, timeout_s: float | None) -> bool:
    """Wait for the end. The end of its output tells it at once; `Popen.wait` with a time limit sleeps up to 50 ms."""
    if timeout_s is not None and not out.is_done(timeout_s):
        return process.poll() is not None  # a grandchild may hold the pipe
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _close(process: subprocess.Popen[str], out: _Drain, err: _Drain) -> None:
    """Read the pipes to their end; a grandchild that keeps one open after its parent ended is ended too."""
    if not (out.is_done(_PIPE_GRACE_S) and err.is_done(_PIPE_GRACE_S)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[str], grace_s: float) -> None:
    """One SIGINT to the group, as a terminal's Ctrl-C; SIGKILL only when the grace is over."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=grace_s)
    except BaseException as cut_short:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if not isinstance(cut_short, subprocess.TimeoutExpired):
            raise  # a second Ctrl-C does not wait any longer, and leaves nothing behind either
