"""Ties a child to this process, so that a killed ngp leaves nothing that reads on for nobody (Linux).

The kernel sends the child SIGTERM when the *thread* ends that started it: whoever waits for it stays in that thread.
`setpriv` asks for that and becomes the child. The other way, our own code between fork and exec, makes the kernel copy
all page tables of this process for each child: 5 ms, and more with every unit that a run has.
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


def find() -> str:
    """Where util-linux's setpriv may be; "" where it is not. Before 2.33, and in busybox, it lacks the option."""
    return shutil.which("setpriv", path=os.defpath) or ""


@cache
def setpriv() -> str:
    """The setpriv that ties a child to its parent, "" where none here does."""
    found = find()
    tried = (found, *OPTIONS, found, "--version")
    return found if found and subprocess.run(tried, env={}, capture_output=True, check=False).returncode == 0 else ""


def tie(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv`, whose program has a whole path, by way of setpriv; as it is where there is none: see `before_exec`."""
    return (setpriv(), *OPTIONS, *argv) if setpriv() else argv


def needs_fork() -> bool:
    """Whether only `before_exec` can tie a child here."""
    return sys.platform == "linux" and not setpriv()


def wrap(setpriv: str, argv: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """`argv` by way of `setpriv`; None where its program is not to be found, which only a plain start tells."""
    program = shutil.which(argv[0], path=environ.get("PATH", os.defpath))
    return (setpriv, *OPTIONS, program, *argv[1:]) if program and Path(program).is_absolute() else None


def before_exec(parent: int) -> Callable[[], None]:
    """What a child of process `parent` does between fork and exec, where there is no setpriv."""
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: between fork and exec no lock may be taken

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it was asked
            os._exit(1)

    return ask
