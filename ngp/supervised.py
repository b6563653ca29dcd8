"""Runs programs that outlive a killed ngp: their output goes to files that ngp follows, and a shell awaits their end.

Terraform writes its state last. It would die before that if its output were a pipe that broke with ngp. The shell stops
what a killed Terraform leaves (its providers), and keeps its exit code for the next ngp.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import files, pdeathsig, process_tree
from ngp.following import Follower, follow
from ngp.processes import ProcessRequest, ProcessResult, log_start

HURRY_S = 7.0  # Terraform waits 5 s itself after a second interrupt; the rest is for what it does then
_LOOK_S = 0.1  # how often a program that may be stopped is looked after
# Its standard input is the call's folder, which is held (`files.lock_folder`) as long as this shell runs. A shell that
# starts something in the background goes on hearing signals; SIGINT is then ignored there, and Terraform asks for it.
_SHELL = r"""
call=$1 input=$2 python=$3 tree=$4; shift 4
"$@" <"$input" & child=$!
trap '"$python" -I -S "$tree" interrupt $$ </dev/null' TERM
echo "$child" >"$call/pid"
while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done
case $code in 0|1|2) ;; *) "$python" -I -S "$tree" outlast $$ </dev/null ;; esac
echo "$code" >"$call/exit"
exit "$code"
"""
_running: set[int] = set()  # sessions of the shells that `run` waits for


class NoRoomError(Exception):
    """The disk with this folder is full."""


@dataclass(frozen=True)
class SupervisedCall:
    """What is run, for whoever finds it after ngp was killed.

    `calls` is the folder that holds a private folder for each call; None: below the system's temporary one. A `tied`
    program gets SIGTERM when ngp dies; one that changes something goes on to its end. `reserve` bytes are set aside
    for its output, so that its last words have room on a disk that is full.
    """

    calls: Path | None = None
    about: str = ""  # apply swarm
    tied: bool = True
    reserve: int = 0


@dataclass(frozen=True)
class FoundCall:
    """A call of a killed ngp. `exit_code` is None if nobody saw its end; `pids` are those of Terraform."""

    folder: Path
    about: str
    tied: bool
    at_work: bool
    pids: tuple[int, ...] = ()
    exit_code: int | None = None

    def output(self) -> str:
        """Return the program's stdout, which may contain secrets."""
        with suppress(OSError):
            return (self.folder / "stdout").read_bytes().rstrip(b"\0").decode("utf-8", "replace")
        return ""


def run(
    request: ProcessRequest,
    call: SupervisedCall,
    *,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> ProcessResult:
    """Run a program to its end, as `processes.run` does; raise FileNotFoundError where there is none.

    A set `stop` (or the time limit) interrupts Terraform itself, never a script that wraps it, and waits `grace_s`
    for it. A call that died of a signal has the negative number of it as exit code. Raises NoRoomError before
    anything is started where the disk has no room for what is to be reserved.
    """
    began = time.monotonic()
    with _open(call, request) as (folder, streams, handle):
        followers = [Follower(*streams[0], on_stdout), Follower(*streams[1], on_stderr)]
        process = _start(request, call, folder, streams, handle)
        ended = threading.Event()
        _running.add(process.pid)
        following = threading.Thread(target=follow, args=(followers, ended), daemon=True)
        following.start()
        threading.Thread(target=_await, args=(process, ended), daemon=True).start()
        stopped = timed_out = False
        try:
            while not ended.wait(_LOOK_S if stop or request.timeout_s else None):
                stopped = stop is not None and stop.is_set()
                timed_out = request.timeout_s is not None and time.monotonic() - began > request.timeout_s
                if stopped or timed_out:
                    _end(process.pid, ended, request.grace_s)
                    break
        except BaseException:
            _end(process.pid, ended, request.grace_s)
            raise
        finally:
            _running.discard(process.pid)
            following.join(None if ended.is_set() else _LOOK_S)  # it reads handles that are closed now
    code = process.returncode if process.returncode <= 128 else 128 - process.returncode
    out, err = (one.text() for one in followers)
    return ProcessResult(code, out, err, time.monotonic() - began, stopped=stopped, timed_out=timed_out)


def has_running() -> bool:
    """Return whether this process runs a program such as Terraform."""
    return bool(_running)


def hurry() -> bool:
    """Interrupt every program again and kill it `HURRY_S` later; return False if none runs.

    Returns at once: a thread does the rest, so that a signal handler may call this.
    """
    going = tuple(_running)

    def work() -> None:
        for session in going:
            process_tree.signal_terraform(session, signal.SIGINT)
        deadline = time.monotonic() + HURRY_S
        while _running.intersection(going) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        for session in _running.intersection(going):
            _kill(session)

    if going:
        threading.Thread(target=work, daemon=True).start()
    return bool(going)


def kill_all() -> None:
    """Kill every program that `run` waits for, with its shell."""
    for session in tuple(_running):
        _kill(session)


def find(calls: Path) -> list[FoundCall]:
    """Return the calls that a killed ngp left in a folder, including running ones."""
    found = []
    for folder in sorted(calls.iterdir()) if calls.is_dir() else ():
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            at_work = files.is_folder_locked(folder)
            pids = _pids(folder) if at_work else ()
            code = _number(folder / "exit")
            found.append(FoundCall(folder, str(about["about"]), bool(about["tied"]), at_work, pids, code))
    return found


def is_at_work(calls: Path) -> bool:
    """Return whether any call in a folder is still running."""
    return calls.is_dir() and any(files.is_folder_locked(folder) for folder in calls.iterdir())


def _pids(folder: Path) -> tuple[int, ...]:
    session = process_tree.session_of(_number(folder / "pid") or 0)
    return tuple(one.pid for one in process_tree.terraforms(process_tree.in_session(session))) if session else ()


def _number(path: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None


Stream = tuple[Path, int]  # where it lies, and the handle that the program writes to


@contextmanager
def _open(call: SupervisedCall, request: ProcessRequest) -> Iterator[tuple[Path, tuple[Stream, Stream], int]]:
    """Make the call's private folder with its files, and hold it; remove it when the program has ended."""
    if call.calls is not None:
        files.private_folder(call.calls)
    folder = Path(tempfile.mkdtemp(prefix="call-", dir=call.calls))
    handles: list[int] = []
    try:
        about = {"about": call.about, "tied": call.tied, "cwd": str(request.cwd)}
        files.write(folder / "about.json", json.dumps(about), mode=0o600, durable=False)
        if request.stdin:
            files.write(folder / "stdin", request.stdin, mode=0o600, durable=False)
        for name in ("stdout", "stderr"):
            handles.append(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            _reserve(handles[-1], call.reserve, folder)
        with files.lock_folder(folder) as handle:
            yield folder, ((folder / "stdout", handles[0]), (folder / "stderr", handles[1])), handle
    finally:
        for one in handles:
            os.close(one)
        files.remove_all([folder])


def _reserve(handle: int, size: int, folder: Path) -> None:
    """Set room aside behind the text; macOS has no call for it."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, size)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise NoRoomError(str(folder.parent)) from error


def _start(
    request: ProcessRequest, call: SupervisedCall, folder: Path, streams: tuple[Stream, Stream], handle: int
) -> subprocess.Popen[bytes]:
    name = request.argv[0]
    program = name if os.sep in name else shutil.which(name, path=request.env.get("PATH", os.defpath))
    if program is None or not (request.cwd / program).exists():
        raise FileNotFoundError(2, "No such file or directory", name)
    log_start(request)
    source = str(folder / "stdin") if request.stdin else os.devnull
    shell = ("/bin/sh", "-c", _SHELL, "ngp-call", str(folder), source, sys.executable, process_tree.__file__)
    argv: tuple[str, ...] = (*shell, program, *request.argv[1:])
    return subprocess.Popen(
        pdeathsig.prefix(argv) if call.tied else argv,
        cwd=request.cwd,
        env=dict(request.env),
        stdin=handle,
        stdout=streams[0][1],
        stderr=streams[1][1],
        umask=request.umask,
        start_new_session=True,
        preexec_fn=pdeathsig.make_preexec(os.getpid()) if call.tied and pdeathsig.needs_preexec() else None,
    )


def _await(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    """Wait for the shell; where somebody killed it, for the Terraform that it has left alone."""
    try:
        if process.wait() < 0:
            process_tree.wait_for_terraform(process.pid)
    finally:
        ended.set()


def _end(session: int, ended: threading.Event, grace_s: float) -> None:
    """Interrupt Terraform once and wait; kill it only when the grace is over."""
    signalled: set[tuple[int, str]] = set()
    deadline = time.monotonic() + grace_s
    try:
        while not ended.is_set() and time.monotonic() < deadline:
            process_tree.signal_terraform(session, signal.SIGINT, signalled)
            ended.wait(2 * _LOOK_S)  # a wrapper may be about to start it
    finally:
        if not ended.is_set():
            _kill(session)
            ended.wait()


def _kill(session: int) -> None:
    process_tree.kill(session)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
