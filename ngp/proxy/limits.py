"""Limits of idle provider processes, which use memory and hold credentials."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import processes

_OWN = re.compile(r"^Rss(?:Anon|Shmem):\s*(\d+) kB$", re.MULTILINE)  # proc_pid_status(5)


@dataclass(frozen=True)
class Limits:
    """Limits of idle processes. A process in use is never stopped because of a limit."""

    idle_processes: int = 4  # configured ones of each package
    idle_s: float = 600.0
    memory_bytes: int = 2 << 30  # of all processes together, as `memory` counts it


def memory(pids: Sequence[int]) -> dict[int, int]:
    """Return the private memory of each running process in bytes.

    On Linux this excludes memory mapped from files: half a gigabyte of a provider is its program, which all of its
    processes share and which the kernel can drop.
    """
    if not Path("/proc/self/status").is_file():
        return _by_ps(pids)
    found = {}
    for pid in pids:
        with suppress(OSError):
            own = _OWN.findall(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
            found[pid] = sum(map(int, own)) << 10
    return found


def _by_ps(pids: Sequence[int]) -> dict[int, int]:
    """Return the resident memory where /proc is missing (macOS). ``ps -o rss=`` prints kilobytes."""
    if not pids:
        return {}
    request = processes.ProcessRequest(
        ("ps", "-o", "pid=,rss=", "-p", ",".join(map(str, pids))), Path("/"), {"PATH": os.defpath}
    )
    lines = processes.run(request).stdout.splitlines()
    return {int(pid): int(size) << 10 for pid, size in (line.split() for line in lines)}
