"""Starts daemons, which outlive the process that starts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ngp import processes
from ngp.processes import ProcessRequest

T = TypeVar("T")
_LOOK_S = 0.02
_LOG_TAIL = 12  # lines


class NotReadyError(Exception):
    """A daemon ended or did not answer in time. Its text is the end of the log."""


def start(request: ProcessRequest, log: Path, look: Callable[[int, float], T | None], *, ready_s: float) -> T:
    """Start a daemon and return the first result of `look(pid, remaining_s)` that is not None. Its output goes to
    `log`.

    Raises NotReadyError if it ends or has no result in `ready_s`. After any error no process of the daemon is left.
    """
    pid = processes.start(request, log)
    try:
        deadline = time.monotonic() + ready_s
        while time.monotonic() < deadline:
            found = look(pid, deadline - time.monotonic())
            if found is not None:
                return found
            if not processes.is_alive(pid):
                break
            time.sleep(_LOOK_S)
        raise NotReadyError("\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL:]))
    except BaseException:
        processes.end_group(pid)
        raise
