"""SIGINT and SIGTERM: the first asks a run to end by itself, the second ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ngp import processes
from ngp.commands.options import Interruption
from ngp.errors import StoppedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def handled(interruption: Interruption) -> Iterator[None]:
    """Listen while the command runs. A signal that the caller had ignored (nohup) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def take(number: int, _frame: Any) -> None:
        _take(interruption, signal.SIGTERM if number == signal.SIGHUP else number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, old in before.items():
        if old != signal.SIG_IGN:
            signal.signal(number, take)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _take(interruption: Interruption, number: int) -> None:
    again = interruption.event.is_set()
    interruption.signal_number = interruption.signal_number or number
    interruption.event.set()
    if again:
        processes.kill_all()
        os._exit(128 + number)
    if not interruption.is_watched:
        raise StoppedError(signal_number=number)
    with suppress(OSError):
        os.write(sys.stderr.fileno(), b"\nending what is under way; once more ends it at once, and may leave a lock\n")
