"""Starts, finds and stops the pool of a platform."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp import files, pool, processes
from ngp.daemons import lifetime, programs, record, sockets
from ngp.daemons.lines import SocketConnection
from ngp.daemons.record import DaemonRecord
from ngp.errors import MissingError, NgpError, UsageError
from ngp.pool import home
from ngp.proxy.limits import Limits
from ngp.workspace import Workspace

_READY_S = 20.0
_ANSWER_S = 10.0


@dataclass(frozen=True)
class RunningPool:
    """A pool that answers. `state` is its own report: limits and proxies with their processes."""

    record: DaemonRecord
    state: Mapping[str, Any]


def start(workspace: Path, environ: Mapping[str, str], limits: Limits, forks: str = "") -> RunningPool:
    """Return the platform's pool, started now if none runs; it outlives this process.

    Concurrent starts get the same pool. `forks` is the module of its fork server. Raises UsageError if the running pool
    belongs to another ngp or has other limits, MissingError if it does not start.
    """
    with files.lock(Workspace(workspace).pool_lock, purpose="pool start", wait=True):
        found = status(workspace)
        if found is not None:
            return _same(found, limits)
        _clear(workspace)
        folder = sockets.make_folder(environ)
        words = (str(workspace), str(folder), str(limits.idle_s), str(limits.memory_bytes), forks)
        request = programs.request(pool, *words, folder=folder, environ=programs.bare(environ))
        log = files.private_folder(home(workspace)) / "pool.log"
        log.unlink(missing_ok=True)
        try:
            return lifetime.start(request, log, lambda _pid, _s: status(workspace), ready_s=_READY_S)
        except BaseException as error:
            files.remove_all([folder])
            if isinstance(error, lifetime.NotReadyError):
                why = str(error) or "its log is empty"
                raise MissingError("the pool does not start", why=why, todo="ngp pool start") from None
            raise


def status(workspace: Path) -> RunningPool | None:
    """Return the pool that answers, or None; a stale record counts for nothing. Raises NgpError if it is silent."""
    answered = _ask(workspace, "status")
    return RunningPool(*answered) if answered else None


def stop(workspace: Path) -> int | None:
    """Stop the pool. Return how many runs it still serves (it ends after the last of them), or None if none ran.

    Raises NgpError if it is silent: the runs that it serves may go on, so nothing is touched.
    """
    with files.lock(Workspace(workspace).pool_lock, purpose="pool stop", wait=True):
        answered = _ask(workspace, "stop")
        if answered is None:
            _clear(workspace)
            return None
        found, serves = answered[0], int(answered[1]["sessions"])
        deadline = time.monotonic() + _ANSWER_S
        while not serves and processes.is_alive(found.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        return serves


def _ask(workspace: Path, order: str) -> tuple[DaemonRecord, Mapping[str, Any]] | None:
    found = record.read(home(workspace))
    if found is None or not record.is_alive(found):
        return None
    try:
        with SocketConnection(found) as line:
            return found, line.ask(_ANSWER_S, order=order)
    except TimeoutError as error:
        raise NgpError(
            "the pool does not answer",
            where=f"process {found.pid}",
            why="it is busy or stopped; runs may be using it",
            todo=f"wait, or kill process {found.pid}",
        ) from error
    except (OSError, ValueError):  # it is about to end
        return None


def _same(found: RunningPool, limits: Limits) -> RunningPool:
    wanted = {"idle_s": limits.idle_s, "memory_bytes": limits.memory_bytes}
    if not found.record.is_ours or any(found.state.get(name) != value for name, value in wanted.items()):
        raise UsageError(
            "a pool with another version of ngp or other limits is already running",
            where=f"process {found.record.pid}",
            todo="ngp pool stop, then start",
        )
    return found


def _clear(workspace: Path) -> None:
    """Remove what a killed pool left. Its watchers have stopped the providers."""
    found = record.read(home(workspace))
    if found is not None and not record.is_alive(found):
        if record.is_private(found):
            files.remove_all([Path(found.folder)])
        record.forget(home(workspace), found)
