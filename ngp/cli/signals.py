"""SIGINT and SIGTERM: the first asks a run to end by itself, the second ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ngp.commands.options import Interruption
from ngp.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def handled(interruption: Interruption) -> Iterator[None]:
    """Listen while the command runs. A signal that the caller had ignored (nohup) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    heard, tell = os.pipe()
    threading.Thread(target=_relay, args=(heard, interruption.event), daemon=True).start()

    def take(number: int, _frame: Any) -> None:
        _take(interruption, signal.SIGTERM if number == signal.SIGHUP else number, tell)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, old in before.items():
        if old != signal.SIG_IGN:
            signal.signal(number, take)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        os.close(tell)


def _relay(heard: int, event: threading.Event) -> None:
    """Set `event` when a signal came: a handler that took the event's lock itself could wait for its own thread."""
    if os.read(heard, 1):
        event.set()
    os.close(heard)


def _take(interruption: Interruption, number: int, tell: int) -> None:
    again = interruption.signal_number != 0
    interruption.signal_number = interruption.signal_number or number
    if again:
        _end_at_once(number)
    os.write(tell, b"!")
    if not interruption.is_watched:
        raise StoppedError(signal_number=number)
    with suppress(OSError):
        os.write(sys.stderr.fileno(), b"\nending what is under way; once more ends it at once, and may leave a lock\n")


def _end_at_once(number: int) -> None:
    try:
        from ngp import processes

        processes.kill_all()
    finally:
        os._exit(128 + number)
