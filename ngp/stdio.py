"""Standard streams that never crash a command: closed from the start, full, or closed while it runs."""

from __future__ import annotations

import codecs
import errno
import fcntl
import io
import os
import sys
from contextlib import suppress

_GONE = frozenset({errno.EPIPE, errno.EIO})  # EIO: the terminal was closed
_ESCAPE = "ngp-escape"


def prepare() -> None:
    """Make the process's streams safe; call it before anything opens a file.

    A closed stream becomes the null device. Otherwise the next opened file would take its number, and get its text.
    """
    encodings = [getattr(stream, "encoding", None) or "utf-8" for stream in (sys.stdin, sys.stdout, sys.stderr)]
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
    install(encodings)


def install(encodings: list[str]) -> None:
    """Set the streams of `sys` on the descriptors 0, 1 and 2, with these encodings."""
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding=encodings[0])
    sys.stdout = _writer(_Data(1), encodings[1])
    sys.stderr = _writer(_Talk(2), encodings[2])


def piped_input() -> int | None:
    """Return the descriptor of a stdin that is no terminal and can be read, else None: nohup's can only be written."""
    with suppress(OSError, ValueError):  # it was closed, or is no file
        source = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.fileno()
        if source is not None and fcntl.fcntl(source, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY:
            return source
    return None


class Escapes:
    """Lets streams write ``\\u2713`` for a character that their encoding lacks; `happened` says whether one did."""

    def __init__(self) -> None:
        self.happened = False
        codecs.register_error(_ESCAPE, self._escape)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=_ESCAPE)

    def _escape(self, error: UnicodeError) -> tuple[str | bytes, int]:
        self.happened = True
        return codecs.backslashreplace_errors(error)


class _Raw(io.RawIOBase):
    """A descriptor that is written to, and stays open."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)


class _Data(_Raw):
    """stdout. Raises BrokenPipeError if its reader is gone, else an OSError that names stdout."""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer, as os.write
        try:
            return os.write(self._number, data)
        except OSError as error:
            if error.errno in _GONE:
                raise BrokenPipeError(error.errno, os.strerror(error.errno)) from None
            raise OSError(error.errno, error.strerror, "stdout") from None


class _Talk(_Raw):
    """stderr is talk: a command goes on without it."""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer, as os.write
        try:
            return os.write(self._number, data)
        except OSError:
            return len(data)


def _writer(raw: _Raw, encoding: str) -> io.TextIOWrapper:
    is_line_buffered = raw.fileno() == 2 or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, line_buffering=is_line_buffered)
