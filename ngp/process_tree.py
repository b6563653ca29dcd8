"""Find Terraform among the processes of a session, and signal it past the scripts that wrap it.

Imports nothing of ngp: the shell of `ngp.supervised` runs this file as a program, also after ngp was killed:
``process_tree.py interrupt SESSION`` and ``process_tree.py outlast SESSION``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TERRAFORM = re.compile(r"(?:terraform|tofu|opentofu)(?!-provider)")
_PROVIDER = re.compile(r"terraform-provider-")
_LOOK_S = 0.2


@dataclass(frozen=True)
class Process:
    """A running process. `program` is the name of its executable; for a script, its interpreter."""

    pid: int
    parent: int
    program: str
    arguments: tuple[str, ...]

    @property
    def is_provider(self) -> bool:
        return _PROVIDER.match(self.program) is not None

    @property
    def is_terraform(self) -> bool:
        return _TERRAFORM.match(self.program) is not None


def in_session(session: int) -> list[Process]:
    """Return the processes of a session, without its leader and without zombies."""
    found = _from_proc(session) if (_PROC / "self" / "stat").exists() else _from_ps(session)
    return [one for one in found if one.pid not in (session, os.getpid())]


def terraforms(processes: Iterable[Process]) -> list[Process]:
    """Return the processes that are Terraform or OpenTofu themselves.

    Version managers start the real binary from a script, or from a binary of the same name: that one has a child
    with the same arguments. Without a process of these names, it is whatever has no child but providers.
    """
    every = [one for one in processes if not one.is_provider]
    named = [one for one in every if one.is_terraform]
    if named:
        return [one for one in named if not any(_wraps(one, other) for other in named)]
    parents = {one.parent for one in every}
    return [one for one in every if one.pid not in parents]


def signal_terraform(session: int, number: int, signalled: set[tuple[int, str]] | None = None) -> None:
    """Send a signal to the Terraform of a session, except those in `signalled`; new ones are added to it.

    Its wrapper is added too, because it must not be signalled alone after Terraform has ended. A Terraform that
    ignores the signal gets none and is not added: it ignores SIGINT until it has started, so try again later.
    """
    signalled = set() if signalled is None else signalled
    every = {one.pid: one for one in in_session(session)}
    for one in terraforms(every.values()):
        above: Process | None = one
        if _ignores(one.pid, number):
            above = every.get(one.parent)
        elif (one.pid, one.program) not in signalled:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one.pid, number)
        while above is not None:
            signalled.add((above.pid, above.program))
            above = every.get(above.parent)


def working_in(folders: Iterable[Path]) -> list[int]:
    """Return the ids of the Terraform processes of this machine that work in one of these folders (Linux)."""
    known, found = {str(folder.resolve()) for folder in folders}, []
    for entry in (one for one in (_PROC.iterdir() if _PROC.is_dir() else ()) if one.name.isdigit()):
        with suppress(OSError):
            if _TERRAFORM.match((entry / "exe").readlink().name) and str((entry / "cwd").readlink()) in known:
                found.append(int(entry.name))
    return found


def session_of(pid: int) -> int:
    """Return the session of a process, 0 if there is none."""
    with suppress(OSError):
        return os.getsid(pid)
    return 0


def wait_for_terraform(session: int) -> None:
    """Wait until a session has no Terraform any more, then kill its remaining processes: providers."""
    while any(one.is_terraform for one in in_session(session)):
        time.sleep(_LOOK_S)
    kill(session)


def kill(session: int) -> None:
    """Kill the processes of a session at once, except its leader."""
    for one in in_session(session):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one.pid, signal.SIGKILL)


def _ignores(pid: int, number: int) -> bool:
    """Whether a process ignores a signal, if the system reports that (Linux)."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("SigIgn:"):  # proc(5): a mask, whose lowest bit is signal 1
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def _wraps(one: Process, other: Process) -> bool:
    return other.parent == one.pid and other.arguments[1:] == one.arguments[1:]


def _from_proc(session: int) -> list[Process]:
    found = []
    for entry in (one for one in _PROC.iterdir() if one.name.isdigit()):
        with suppress(OSError, ValueError, IndexError):
            # proc(5): after the name in brackets come state, parent, group and session
            state, parent, _, own = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:4]
            if int(own) == session and state != b"Z":
                words = (entry / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                program = (entry / "exe").readlink().name.removesuffix(" (deleted)")
                found.append(Process(int(entry.name), int(parent), program, tuple(map(os.fsdecode, words))))
    return found


def _from_ps(session: int) -> list[Process]:
    """Read the system's list where there is no /proc. Its groups count, since it shows no sessions."""
    argv = ("ps", "-axo", "pid=,ppid=,pgid=,state=,command=")
    done = subprocess.run(argv, env={"PATH": os.defpath, "LC_ALL": "C"}, capture_output=True, text=True, check=False)
    found = []
    for line in done.stdout.splitlines():
        pid, parent, group, state, *command = line.split(None, 4)
        if int(group) == session and not state.startswith("Z"):
            words = tuple(command[0].split()) if command else ("",)
            found.append(Process(int(pid), int(parent), Path(words[0]).name, words))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "outlast":
        wait_for_terraform(int(sys.argv[2]))
    else:
        signal_terraform(int(sys.argv[2]), signal.SIGTERM)
