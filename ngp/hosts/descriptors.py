"""Open files: each connection needs some, and systems allow few by default (macOS 256)."""

from __future__ import annotations

import resource
from contextlib import suppress

_OWN, _PER_HOST = 128, 6  # a socket, or the pipes of a program that leads to the host


def allow(hosts: int) -> None:
    """Raise this process's soft limit of open files to what so many connections need, if the hard limit lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _OWN + hosts * _PER_HOST
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # a system with a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
