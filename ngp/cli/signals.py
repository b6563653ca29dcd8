"""SIGINT and SIGTERM: the first stops a run gracefully, the same signal again hurries it, a third one kills it.

A CI system that cancels a job sends SIGINT and SIGTERM seconds later: that is one request to stop, not two.
"""

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
    """Handle signals while the command runs. A signal that the caller ignored (nohup) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    heard, emit = os.pipe()
    threading.Thread(target=_relay, args=(heard, interruption.event), daemon=True).start()

    def take(number: int, _frame: Any) -> None:
        _take(interruption, signal.SIGTERM if number == signal.SIGHUP else number, emit)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, old in before.items():
        if old != signal.SIG_IGN:
            signal.signal(number, take)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        os.close(emit)


def _relay(heard: int, event: threading.Event) -> None:
    """Set `event` when a signal arrives: a handler that took the event's lock itself could deadlock with its thread."""
    if os.read(heard, 1):
        event.set()
    os.close(heard)


def _take(interruption: Interruption, number: int, emit: int) -> None:
    is_first, is_again = not interruption.seen, number in interruption.seen
    interruption.seen.add(number)
    if is_again:
        _hurry(interruption, number)
    if not is_first:
        return
    interruption.signal_number = number
    os.write(emit, b"!")
    if not interruption.is_watched:
        raise StoppedError(signal_number=number)
    from ngp import supervised

    more = "interrupts Terraform again, and data may be lost" if supervised.has_running() else "ends at once"
    _say(f"ending what is under way; once more {more}")


def _hurry(interruption: Interruption, number: int) -> None:
    """Give Terraform a few seconds, as it does itself at the second interrupt; kill it at the third, or if none
    runs."""
    from ngp import processes, supervised

    is_at_work = not interruption.is_hurried and supervised.hurry()
    processes.kill_all()
    if is_at_work:
        interruption.is_hurried = True
        _say(f"Terraform is interrupted again and killed in {supervised.HURRY_S:.0f} seconds; data may be lost")
        return
    try:
        supervised.kill_all()
    finally:
        os._exit(128 + number)


def _say(text: str) -> None:
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"\n{text}\n".encode())
