"""The two streams: data on stdout, messages on stderr, with colour and width from the environment variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from ngp.settings import Level, Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WITHOUT_COLOUR = ("dumb", "unknown")  # values of TERM
_PLAIN_WIDTH = 120  # without a terminal and COLUMNS
_LEAST = 60  # on a narrower terminal lines are wrapped


def out(settings: Settings) -> Console:
    """Return a console on stdout, for data."""
    return _console(settings, sys.stdout, is_terminal=settings.stdout_is_terminal)


def err(settings: Settings) -> Console:
    """Return a console on stderr, for messages."""
    return _console(settings, sys.stderr, is_terminal=settings.stderr_is_terminal)


def live(settings: Settings) -> Console:
    """Return a console on stderr for lines that change in place, as wide as the terminal, also when it is resized."""
    return _console(settings, sys.stderr, is_terminal=settings.stderr_is_terminal, least=0)


def is_live(settings: Settings) -> bool:
    """Whether stderr can show lines that change in place."""
    return settings.stderr_is_terminal and settings.environ.get("TERM", "").lower() not in _WITHOUT_COLOUR


def say(settings: Settings, text: str, *, style: str = "", always: bool = False) -> None:
    """Print a message on stderr, unwrapped; `--quiet` suppresses it, unless `always`: part of a question."""
    if settings.level is Level.ERROR and not always:
        return
    err(settings).print(line(text, style=style), soft_wrap=True)


def show(lines: Iterable[str], settings: Settings, *, style: str = "") -> None:
    """Lines of data on stdout, never wrapped."""
    console = out(settings)
    for text in lines:
        console.print(line(text, style=style), soft_wrap=True)


def line(text: str, *, style: str = "") -> Text:
    """Return `text` without markup and control characters."""
    from rich.text import Text

    return Text(clean(text), style=style)


def clean(text: str) -> str:
    """Return `text` with visible control characters (except newlines and tabs), so that no value controls the
    terminal."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() or mark in "\n\t" else repr(mark)[1:-1] for mark in text)


def cell(text: str) -> str:
    """Return `text` as a table cell, with visible newlines and tabs, so that no value makes its own row."""
    return clean(text).replace("\t", "\\t").replace("\n", "\\n")


def amount(number: int, thing: str) -> str:
    """``1 resource``, ``2,000 resources``."""
    return f"{number} {thing}" if number == 1 else f"{number:,} {thing}s"


def duration(seconds: float) -> str:
    """``850 ms``, ``4.2 s``, ``3m 05s``, ``1h 02m``."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def _width(environ: Mapping[str, str], file: IO[str], *, is_terminal: bool, least: int) -> int | None:
    """What COLUMNS says, else the terminal; 0 is no width. None lets Rich look, each time.

    Below `least` a table would lose columns: it is wrapped by the terminal instead.
    """
    columns = environ.get("COLUMNS", "")
    found = int(columns) if columns.isdecimal() else 0
    if not found and is_terminal:
        if not least and not columns.isdecimal():
            return None
        with suppress(OSError, ValueError):
            found = os.get_terminal_size(file.fileno()).columns
    return max(found or _PLAIN_WIDTH, least)


def _console(settings: Settings, file: IO[str], *, is_terminal: bool, least: int = _LEAST) -> Console:
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704  called while BrokenPipeError is handled; Rich itself would end the process

    environ = settings.environ
    forced = True if environ.get("FORCE_COLOR") else is_terminal
    return OurConsole(
        file=file,
        force_terminal=forced,
        color_system=None if environ.get("TERM", "").lower() in _WITHOUT_COLOUR else "auto",
        no_color=bool(environ.get("NO_COLOR")),
        width=_width(environ, file, is_terminal=is_terminal, least=least),
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
