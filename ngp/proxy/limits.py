"""How much a proxy keeps running for later: processes that nobody uses cost memory and hold credentials."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import processes

if TYPE_CHECKING:
    from ngp.proxy.fleet import Fleet

_LOOK_S = 5.0
_SETTLED_S = 1.0  # one that was configured this moment is about to be used


@dataclass(frozen=True)
class Limits:
    """What may wait for its next user. A process in use is never ended for a limit."""

    idle_processes: int = 4  # configured ones of one package
    idle_s: float = 600.0
    memory_bytes: int = 2 << 30  # resident, of all processes together


async def tend(fleets: Sequence[Fleet], limits: Limits, *, look_s: float = _LOOK_S) -> None:
    """Hold the limits until it is cancelled."""
    while True:
        await asyncio.sleep(look_s)
        await enforce(fleets, limits)


async def enforce(fleets: Iterable[Fleet], limits: Limits) -> None:
    """End what has idled too long, then what has idled longest while all together need too much memory."""
    every = [(fleet, one) for fleet in fleets for one in fleet.providers]
    sizes = await asyncio.to_thread(resident, [one.pid for _, one in every])
    total = sum(sizes.values())
    now = time.monotonic()
    for fleet, one in sorted(every, key=lambda pair: pair[1].used_at):
        idle_s = now - one.used_at
        is_too_much = total > limits.memory_bytes and idle_s > _SETTLED_S
        if fleet.is_idle(one) and (idle_s > limits.idle_s or is_too_much):
            fleet.end_one(one)
            total -= sizes.get(one.pid, 0)


def resident(pids: Sequence[int]) -> dict[int, int]:
    """The resident memory of processes, in bytes; one that has ended is left out."""
    if not Path("/proc/self/statm").is_file():
        return _by_ps(pids)
    found = {}
    for pid in pids:
        with suppress(OSError, IndexError):
            pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
            found[pid] = int(pages) * os.sysconf("SC_PAGE_SIZE")
    return found


def _by_ps(pids: Sequence[int]) -> dict[int, int]:
    """Where there is no /proc (macOS). POSIX: ``ps -o pid=,rss=`` tells kilobytes."""
    if not pids:
        return {}
    request = processes.Request(
        ("ps", "-o", "pid=,rss=", "-p", ",".join(map(str, pids))), Path("/"), {"PATH": os.defpath}
    )
    lines = processes.run(request).stdout.splitlines()
    return {int(pid): int(size) << 10 for pid, size in (line.split() for line in lines)}
