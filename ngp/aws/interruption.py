"""Waits for AWS in a way that Ctrl-C can interrupt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ngp.errors import StoppedError

GRACE_S = 3.0  # an answer that is on its way comes in that time
_LOOK_S = 0.1
T = TypeVar("T")


def wait(work: Callable[[], T], stop: threading.Event) -> T:
    """Call `work` in a thread, and return or raise its result.

    After a stop it may take `GRACE_S` more, also if it starts later; then the thread is abandoned. Raises StoppedError.
    """
    ended = threading.Event()
    answers: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as failure:  # noqa: BLE001  raised below
            failures.append(failure)
        ended.set()

    threading.Thread(target=run, name="aws", daemon=True).start()
    end: float | None = None
    while not ended.wait(_LOOK_S):
        if stop.is_set():
            end = end or time.monotonic() + GRACE_S
            if time.monotonic() > end:
                raise StoppedError
    if failures:
        raise failures[0]
    return answers[0]
