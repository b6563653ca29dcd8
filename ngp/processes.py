"""Runs other processes: in their own group, with streamed output, and always stopped."""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from ngp import pdeathsig

GRACE_S = 30.0  # Terraform needs a while after SIGINT: it ends calls under way and writes its state
_LOOK_S = 0.1  # how often a process that may be stopped is looked after
_ATTENDED_S = 2.0  # how long a program that asks at the terminal may take to end
PIPE_GRACE_S = 2.0  # how long a pipe may stay open after its process has ended
_LOG = logging.getLogger(__name__)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")  # of a URL, which a log must not hold
_running: set[int] = set()  # process groups that `run` waits for


@dataclass(frozen=True)
class ProcessRequest:
    """A process to start. `env` is its whole environment. Without `stdin` its input is closed.

    `umask` is for its new files; -1 keeps that of this process.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    timeout_s: float | None = None
    grace_s: float = GRACE_S
    stdin: str = ""
    umask: int = -1


Child = subprocess.Popen[str]


@dataclass(frozen=True)
class ProcessResult:
    """The result of a process. `stdout` and `stderr` are empty if a callback got the lines."""

    exit_code: int
    stdout: str
    stderr: str
    duration_s: float
    stopped: bool = False
    timed_out: bool = False


def run(
    request: ProcessRequest,
    *,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> ProcessResult:
    """Run to the end, handing over lines as they come; raise FileNotFoundError where there is no such program.

    A set `stop` (or the time limit) sends one SIGINT to the whole group, waits `grace_s`, then kills. Callbacks are
    called from threads of their own, one for each pipe; what they raise is raised here, after the process has ended.
    """
    began = time.monotonic()
    process = popen(request)
    _running.add(process.pid)  # before its first line: who hears it may call `kill_all`
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = Drain(process.stdout, on_stdout), Drain(process.stderr, on_stderr)
    if process.stdin is not None:
        threading.Thread(target=_feed, args=(process.stdin, request.stdin), daemon=True).start()
    stopped = timed_out = False
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
    return ProcessResult(process.returncode, out.text(), err.text(), duration_s, stopped=stopped, timed_out=timed_out)


def start(request: ProcessRequest, log: Path) -> int:
    """Start a process that outlives this one, with its output in `log`; return its pid (also its group's)."""
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


def show(request: ProcessRequest, text: str) -> bool:
    """Pass `text` to a program with this process's terminal, such as a pager; return whether it took it.

    Ctrl-C then belongs to that program: pagers use it to stop a search.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
    try:
        process = subprocess.Popen(
            request.argv, cwd=request.cwd, env=dict(request.env), stdin=subprocess.PIPE, encoding="utf-8"
        )
        with suppress(BrokenPipeError):  # left before the end of the text
            process.communicate(text)
        return process.wait() == 0
    except OSError:
        return False
    finally:
        if is_main:
            signal.signal(signal.SIGINT, before)


def run_interactive(request: ProcessRequest, *, output: int | None = 2) -> int:
    """Run a program that asks the person at this process's terminal, such as for a passphrase; return its exit code.

    It has the terminal's session and streams, but for its output, which goes to stderr, or to `output` (None: to this
    process's). Ctrl-C reaches it directly.
    """
    log_start(request)
    process = subprocess.Popen(request.argv, cwd=request.cwd, env=dict(request.env), stdout=output)
    try:
        return process.wait()
    except BaseException:
        process.terminate()  # it gives the terminal its echo back
        try:
            process.wait(timeout=_ATTENDED_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def replace(request: ProcessRequest) -> NoReturn:
    """Become another program with this process's terminal and folder. Raises FileNotFoundError."""
    log_start(request)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
    os.execvpe(request.argv[0], request.argv, dict(request.env))


def own_umask() -> int:
    """Return the umask of this process. Only Linux reports it; elsewhere it is changed for a moment."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


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
    """Kill every process group that `run` waits for. None of them is Terraform (see `ngp.supervised`)."""
    for pid in tuple(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def end_group(pid: int, *, grace_s: float = 5.0) -> None:
    """Stop a process group that `start` began: SIGTERM, a wait, SIGKILL."""
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


class Drain:
    """Reads a pipe to its end in a thread, so that a full pipe never stops the child."""

    def __init__(self, pipe: IO[str], on_line: Callable[[str], None] | None) -> None:
        self._pipe, self._on_line = pipe, on_line
        self._kept: list[str] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def is_done(self, timeout_s: float) -> bool:
        """Wait for the end of the pipe; return whether it was reached."""
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


def log_start(request: ProcessRequest) -> None:
    """Log a started command, without credentials in addresses."""
    _LOG.debug("start %s in %s", _CREDENTIALS.sub("//", shlex.join(request.argv)), request.cwd)


def popen(request: ProcessRequest, *, with_input: bool = False, tied: bool = True) -> subprocess.Popen[str]:
    """Start a process with pipes for its output. A `tied` one gets SIGTERM when the thread that started it ends."""
    log_start(request)
    setpriv = pdeathsig.setpriv() if tied else ""
    wrapped = pdeathsig.prefix_found(setpriv, request.argv, request.env) if setpriv else None
    return subprocess.Popen(
        wrapped or request.argv,
        cwd=request.cwd,
        env=dict(request.env),
        stdin=subprocess.PIPE if request.stdin or with_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        umask=request.umask,
        start_new_session=True,
        preexec_fn=pdeathsig.make_preexec(os.getpid()) if tied and not wrapped and pdeathsig.needs_preexec() else None,
    )


def _feed(pipe: IO[str], text: str) -> None:
    with suppress(BrokenPipeError), pipe:  # a child need not read what it is told
        pipe.write(text)


def _has_ended(process: subprocess.Popen[str], out: Drain, timeout_s: float | None) -> bool:
    """Wait for the end. The end of its output tells it at once; `Popen.wait` with a time limit sleeps up to 50 ms."""
    if timeout_s is not None and not out.is_done(timeout_s):
        return process.poll() is not None  # a grandchild may hold the pipe
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _close(process: subprocess.Popen[str], out: Drain, err: Drain) -> None:
    """Read the pipes to their end; a grandchild that keeps one open after its parent ended is ended too."""
    if not (out.is_done(PIPE_GRACE_S) and err.is_done(PIPE_GRACE_S)):
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
