"""Measures the peak memory of a whole tree of processes, including those that left it."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PR_SET_CHILD_SUBREAPER = 36
_EVERY_S = 0.05
_SHARE = 20  # a look may take one part in so many of the time
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


def adopt_orphans() -> None:
    """From now on, make orphaned processes children of this one, so that daemons stay in the tree (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


@dataclass(frozen=True, order=True)
class Taken:
    """What processes take: the proportional set size (what is shared counts once), where the kernel tells it, else the
    resident set; and what of it no file stands behind, so that the kernel cannot drop it."""

    all_kb: int = 0
    private_kb: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.all_kb + other.all_kb, self.private_kb + other.private_kb)


class Watch:
    """While it is entered, `peak` follows the memory of all processes below this one but those of `without`.

    `looks` counts how often it was looked at. Between two looks lie 50 ms or, where that is longer, twenty times as
    long as a look takes (a large process: some milliseconds): a short peak can be missed.
    """

    def __init__(self, without: Collection[int] = ()) -> None:
        self.peak = Taken()
        self.looks = 0
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
            self.peak = max(self.peak, sum(map(_taken, descendants(os.getpid(), self._without)), Taken()))
            self.looks += 1
            self._is_over.wait(max(_EVERY_S, _SHARE * (time.monotonic() - began)))


def descendants(pid: int, without: Collection[int] = ()) -> Iterator[int]:
    """Return the processes below `pid`, except `without` and those below them."""
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


def _words(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _taken(pid: int) -> Taken:
    """What a process takes; nothing for one that has ended meanwhile, or has yet to become its program.

    Until then a child runs in the memory of this process (vfork), which is no part of what is measured.
    """
    if _words(pid) == _words(os.getpid()):
        return Taken()
    with suppress(OSError, ValueError, KeyError):
        lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        kb = {words[0]: int(words[1]) for words in lines}
        return Taken(kb["Pss:"], kb["Pss_Anon:"] + kb["Pss_Shmem:"])
    with suppress(OSError, ValueError):
        _, resident, of_files, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
        return Taken(resident * _PAGE_KB, (resident - of_files) * _PAGE_KB)
    return Taken()
