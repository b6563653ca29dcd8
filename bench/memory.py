"""How much memory a whole tree of processes takes at its peak, those that left it included."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_PR_SET_CHILD_SUBREAPER = 36
_EVERY_S = 0.05
_SHARE = 20  # a look may take one part in so many of the time
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


def adopt_orphans() -> None:
    """From now on a process whose parent has ended becomes a child of this one: a daemon stays in the tree (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Watch:
    """While it is entered, `peak_mb` follows the memory of all processes below this one but those of `without`.

    Memory is the proportional set size (what is shared is counted once), where the kernel tells it; else the resident
    set. It is looked at every 50 ms, or more rarely where looking takes long: a short peak can be missed.
    """

    def __init__(self, without: Collection[int] = ()) -> None:
        self.peak_mb = 0.0
        self._without = frozenset(without)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._is_over.is_set():
            began = time.monotonic()
            self.peak_mb = max(self.peak_mb, sum(map(_memory_kb, descendants(os.getpid(), self._without))) / 1024)
            self._is_over.wait(max(_EVERY_S, _SHARE * (time.monotonic() - began)))


def descendants(pid: int, without: Collection[int] = ()) -> Iterator[int]:
    """The processes below `pid`, without those of `without` and what is below them."""
    for child in _children(pid):
        if child not in without:
            yield child
            yield from descendants(child, without)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def _memory_kb(pid: int) -> int:
    """What a process takes; 0 for one that has ended meanwhile."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KB
    return 0
