"""The one door to other processes: their own group, streamed output, an end that is always reached."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE_S = 30.0  # Terraform needs a while after SIGINT: it ends calls under way and writes its state
_PR_SET_PDEATHSIG = 1
_running: set[int] = set()  # process groups that `run` waits for


@dataclass(frozen=True)
class Request:
    """What to start. `env` is the whole environment; nothing is inherited beside it."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout_s: float | None = None
    grace_s: float = GRACE_S


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

    A set `stop` (or the time limit) sends one SIGINT to the whole group, waits `grace_s`, then kills.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        request.argv,
        cwd=request.cwd,
        env=dict(request.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = _Drain(process.stdout, on_stdout), _Drain(process.stderr, on_stderr)
    stopped = timed_out = False
    _running.add(process.pid)
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1 if stop or request.timeout_s else None)
                break
            stopped = stop is not None and stop.is_set()
            timed_out = request.timeout_s is not None and time.monotonic() - start > request.timeout_s
            if stopped or timed_out:
                _end(process, request.grace_s)
                break
    except BaseException:
        _end(process, request.grace_s)
        raise
    finally:
        _running.discard(process.pid)
    return Outcome(
        process.returncode,
        out.text(),
        err.text(),
        time.monotonic() - start,
        stopped=stopped,
        timed_out=timed_out,
    )


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


class _Drain:
    """Reads a pipe to its end in a thread, so that a full pipe never stops the child."""

    def __init__(self, pipe: IO[str], on_line: Callable[[str], None] | None) -> None:
        self._pipe, self._on_line = pipe, on_line
        self._kept: list[str] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

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


def _end(process: subprocess.Popen[str], grace_s: float) -> None:
    """One SIGINT to the group, as a terminal's Ctrl-C; SIGKILL only when the grace is over."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _die_with_parent() -> None:
    """A child of a killed ngp gets SIGTERM, so that no Terraform goes on unwatched with a lock (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
