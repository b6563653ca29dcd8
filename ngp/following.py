"""Follows files that another process writes, by whole lines."""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_SHORTEST_S, _LONGEST_S = 0.001, 0.02  # how long `follow` sleeps where nothing new was written
_CHUNK = 1 << 20


class Follower:
    """Reads what a program has written to a file so far, and hands it over by whole lines.

    `handle` is the one that the program writes to, or a duplicate: its position is where the text ends, and behind it
    lies reserved room. Without `on_line` the text is kept.
    """

    def __init__(self, path: Path, handle: int, on_line: Callable[[str], None] | None) -> None:
        self._handle, self._on_line = handle, on_line
        self._source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = 0
        self._decoder: Any = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._kept: list[str] = []
        self._failure: BaseException | None = None

    def read(self) -> bool:
        """Read what is new; return whether there was anything."""
        new = os.pread(self._source, min(_CHUNK, os.lseek(self._handle, 0, os.SEEK_CUR) - self._at), self._at)
        self._at += len(new)
        self._take(self._decoder.decode(new))
        return bool(new)

    def close(self) -> None:
        """Pass on the last line, even without its newline."""
        self._take(self._decoder.decode(b"", final=True))
        if self._rest and self._on_line is not None:
            self._hand_over(self._rest)
        os.close(self._source)

    def text(self) -> str:
        """Return everything that was written, "" if a callback got the lines. Raises what the callback raised."""
        if self._failure is not None:
            raise self._failure
        return "".join(self._kept)

    def _take(self, text: str) -> None:
        if self._on_line is None:
            self._kept.append(text)
            return
        *lines, self._rest = (self._rest + text).split("\n") if "\n" in text else [self._rest + text]
        for line in lines:
            self._hand_over(line)

    def _hand_over(self, line: str) -> None:
        if self._failure is None and self._on_line is not None:
            try:
                self._on_line(line.removesuffix("\r"))
            except BaseException as failure:  # noqa: BLE001  handed to the caller in text()
                self._failure = failure


def follow(followers: Sequence[Follower], ended: threading.Event) -> None:
    """Follow files until their program has ended and everything was read."""
    pause = _SHORTEST_S
    while True:
        is_over = ended.is_set()  # before the last look, not after it
        if any([one.read() for one in followers]):
            pause = _SHORTEST_S
        elif is_over:
            break
        else:
            ended.wait(pause)
            pause = min(2 * pause, _LONGEST_S)
    for one in followers:
        one.close()
