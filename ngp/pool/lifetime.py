"""Starting a platform's pool, finding it again, and stopping it with nothing left behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ngp
from ngp import files, processes
from ngp.errors import MissingError, NgpError, UsageError
from ngp.pool import record
from ngp.pool.door import Line
from ngp.pool.record import Record
from ngp.proxy import session
from ngp.proxy.limits import Limits

_READY_S = 20.0
_ANSWER_S = 10.0
_LOG_TAIL = 12


@dataclass(frozen=True)
class Running:
    """A pool that answers. `state` is what it says of itself: limits, proxies with their processes, AWS sessions."""

    record: Record
    state: Mapping[str, Any]


def start(workspace: Path, environ: Mapping[str, str], limits: Limits) -> Running:
    """Give the platform's pool, started now if none runs; it outlives this process.

    Two that start at once get the same one. Raises UsageError where one runs that is another ngp's or has other
    limits, MissingError where it does not come up.
    """
    with files.lock(workspace / "pool.lock", purpose="pool start", wait=True):
        found = status(workspace)
        if found is not None:
            return _same(found, limits)
        _clear(workspace)
        home, folder = files.private_folder(record.home(workspace)), session.socket_folder(environ)
        argv = (sys.executable, "-P", "-m", "ngp.pool", str(workspace), str(folder))
        given = {**session.bare(environ), **record.surroundings(environ)}
        request = processes.Request(
            (*argv, str(limits.idle_s), str(limits.memory_bytes)),
            folder,
            {**given, "PYTHONPATH": str(Path(ngp.__file__).parents[1])},
        )
        log = home / "pool.log"
        log.unlink(missing_ok=True)
        return _await_ready(workspace, processes.start(request, log), log, folder)


def status(workspace: Path) -> Running | None:
    """The pool that answers, or None; a stale record counts for nothing. Raises NgpError where one is silent."""
    answered = _ask(workspace, "status")
    return Running(*answered) if answered else None


def stop(workspace: Path) -> int | None:
    """Let the pool end; return how many runs it still serves (it ends with the last of them), None where none ran.

    Raises NgpError where one is silent: what it serves may go on, so nothing of it is touched.
    """
    with files.lock(workspace / "pool.lock", purpose="pool stop", wait=True):
        answered = _ask(workspace, "stop")
        if answered is None:
            _clear(workspace)
            return None
        found, serves = answered[0], int(answered[1]["sessions"])
        deadline = time.monotonic() + _ANSWER_S
        while not serves and processes.is_alive(found.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        return serves


def _ask(workspace: Path, order: str) -> tuple[Record, Mapping[str, Any]] | None:
    found = record.read(workspace)
    if found is None or not record.is_alive(found):
        return None
    try:
        with Line(found) as line:
            return found, line.ask(_ANSWER_S, order=order)
    except TimeoutError as error:
        raise NgpError(
            "the pool does not answer",
            where=f"process {found.pid}",
            why="it is busy, or was stopped; runs may be served by it",
            todo=f"wait, or end process {found.pid}",
        ) from error
    except (OSError, ValueError):  # it is about to end
        return None


def _same(found: Running, limits: Limits) -> Running:
    wanted = {"idle_s": limits.idle_s, "memory_bytes": limits.memory_bytes}
    if not found.record.is_ours or any(found.state.get(name) != value for name, value in wanted.items()):
        raise UsageError(
            "a pool is running that is another ngp's, or has other limits",
            where=f"process {found.record.pid}",
            todo="ngp pool stop, then start",
        )
    return found


def _await_ready(workspace: Path, pid: int, log: Path, folder: Path) -> Running:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and processes.is_alive(pid):
        found = status(workspace)
        if found is not None:
            return found
        time.sleep(0.02)
    processes.end_group(pid)
    files.remove_all([folder])
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])
    raise MissingError("the pool does not come up", why=tail or "it says nothing", todo="ngp pool start")


def _clear(workspace: Path) -> None:
    """What a killed pool has left. Its providers were ended by their watchers."""
    found = record.read(workspace)
    if found is not None and not record.is_alive(found):
        if record.is_private(found):
            files.remove_all([Path(found.folder)])
        record.forget(workspace, found)
