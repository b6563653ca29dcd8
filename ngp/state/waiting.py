"""The wait for a taken lock: its duration, and its interruption."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ngp.errors import StoppedError

_AGAIN_S = 1.0  # between two attempts


@dataclass
class Wait:
    """The wait for one lock, starting now. `stop` is set when the operator interrupts the run."""

    timeout_s: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    emit: Callable[[str], None] = lambda _: None
    _began: float = field(default_factory=time.monotonic, init=False)
    _has_emitted: bool = field(default=False, init=False)

    def should_retry(self, holder: Callable[[], str]) -> bool:
        """Wait for a moment; return whether to try again. `holder` names the holder, and is emitted once.

        Raises StoppedError on an interruption.
        """
        left_s = self._began + self.timeout_s - time.monotonic()
        if left_s <= 0:
            return False
        if not self._has_emitted:
            self._has_emitted = True
            self.emit(f"waiting for at most {self.timeout_s:g} s: {holder()}")
        if self.stop.wait(min(_AGAIN_S, left_s)):
            raise StoppedError
        return True
