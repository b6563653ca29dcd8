"""Spool for piped input: many hosts read the same bytes, each at its own pace, while they still come in."""

from __future__ import annotations

import asyncio
import os
import select
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Lock, Thread
from types import TracebackType
from typing import Any, Self

from ngp import files

_PIECE = 64 * 1024  # read at once
_AHEAD = 8 * 1024**2  # bytes that may wait for the fastest reader


class InputError(Exception):
    """The input broke off before its end. The text says why."""


class Spool:
    """Copies a stream into a file without a name, from which every reader gets all bytes from the first one on.

    So memory stays bounded, a slow or dead reader delays no other, and one that begins late misses nothing. `source` is
    a file descriptor; it is read until its end or the end of the `with` block, whichever comes first. It is read no
    faster than the fastest reader takes it: an input without an end (``yes``) fills no disk.
    """

    def __init__(self, source: int, folder: Path) -> None:
        self._source, self._folder = source, folder
        self._lock = Lock()
        self._has_room = Condition(self._lock)
        self._size, self._read, self._has_ended, self._failure = 0, 0, False, ""
        self._is_closing = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._thread = Thread(target=self._copy, daemon=True)

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  __exit__ closes it
        self._wake, self._end = os.pipe()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._has_room:
            self._is_closing = True
            self._has_room.notify()
        os.close(self._end)
        self._thread.join()
        os.close(self._wake)
        self._file.close()

    async def send(self, stdin: Any) -> None:
        """Send all bytes, then their end, to the stdin of a command that asyncssh runs.

        Raises InputError where they break off, which is not their end.
        """
        import asyncssh

        with suppress(asyncssh.Error, OSError):  # the command has ended, or its connection
            async for piece in self.pieces():
                stdin.write(piece)
                await stdin.drain()
            stdin.write_eof()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield all bytes in order; wait for those that have not come yet. Raises InputError where they break off."""
        at = 0
        while await self._has_more(at):
            try:
                piece = os.pread(self._file.fileno(), _PIECE, at)
            except OSError as error:
                raise InputError(_reason(error)) from None
            at += len(piece)
            yield piece

    async def _has_more(self, at: int) -> bool:
        while True:
            with self._has_room:
                self._read = max(self._read, at)
                self._has_room.notify()
                if self._size > at:
                    return True
                if self._failure:
                    raise InputError(self._failure)
                if self._has_ended:
                    return False
                has_news = asyncio.Event()
                self._waiting.append((asyncio.get_running_loop(), has_news))
            await has_news.wait()

    def _copy(self) -> None:
        failure = ""
        try:
            while self._waits_for_room() and self._wake not in select.select([self._source, self._wake], [], [])[0]:
                piece = os.read(self._source, _PIECE)
                if not piece:
                    break
                self._write(piece)
        except (OSError, ValueError) as error:  # a full disk; a stream that was closed
            failure = _reason(error)
        with self._lock:
            self._has_ended, self._failure = True, failure
        self._emit()

    def _waits_for_room(self) -> bool:
        """Wait while the fastest reader is far behind; return False at the end of the `with` block."""
        with self._has_room:
            self._has_room.wait_for(lambda: self._is_closing or self._size - self._read < _AHEAD)
            return not self._is_closing

    def _write(self, piece: bytes) -> None:
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]
        with self._lock:
            self._size += len(piece)
        self._emit()

    def _emit(self) -> None:
        """Wake the readers that wait."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for loop, has_news in waiting:
            with suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(has_news.set)


@contextmanager
def open_spool(source: int | None, folder: Path) -> Iterator[Spool | None]:
    """Open a spool of a descriptor below a private folder, None for None; it is gone at the end."""
    if source is None:
        yield None
        return
    with Spool(source, files.private_folder(folder)) as spool:
        yield spool


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error)).lower()
