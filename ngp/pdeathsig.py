"""Parent-death signal (Linux): a child gets SIGTERM when ngp dies, so that a killed ngp leaves no process behind.

The kernel sends the signal when the *thread* that started the child ends, so that thread must wait for the child.
`setpriv` requests the signal and then becomes the child. The alternative, our own code between fork and exec, makes the
kernel copy all page tables of this process for each child: 5 ms, and more with every unit of a run.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

OPTIONS = ("--pdeathsig", "TERM", "--")
_PR_SET_PDEATHSIG = 1


def find_setpriv() -> str:
    """Return the path of setpriv, "" if there is none. util-linux before 2.33 and busybox lack its option."""
    return shutil.which("setpriv", path=os.defpath) or ""


@cache
def setpriv() -> str:
    """Return the path of a setpriv that supports `--pdeathsig`, "" if there is none."""
    found = find_setpriv()
    tried = (found, *OPTIONS, found, "--version")
    return found if found and subprocess.run(tried, env={}, capture_output=True, check=False).returncode == 0 else ""


def prefix(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `argv` (with an absolute program) run through setpriv; unchanged if there is none: see `make_preexec`."""
    return (setpriv(), *OPTIONS, *argv) if setpriv() else argv


def needs_preexec() -> bool:
    """Whether only `make_preexec` can request the signal."""
    return sys.platform == "linux" and not setpriv()


def prefix_found(setpriv: str, argv: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return `argv` run through `setpriv`, or None if its program is not found, which only a plain start reports."""
    program = shutil.which(argv[0], path=environ.get("PATH", os.defpath))
    return (setpriv, *OPTIONS, program, *argv[1:]) if program and Path(program).is_absolute() else None


def make_preexec(parent: int) -> Callable[[], None]:
    """Return a function for a child of process `parent` to run between fork and exec, where setpriv is missing."""
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork: no lock may be taken after it

    def request() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before the request
            os._exit(1)

    return request
