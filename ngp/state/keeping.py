"""Starts and ends the process that holds the locks of local states (`keeper`)."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ngp import processes
from ngp.daemons import programs
from ngp.errors import LockHeldError, NgpError
from ngp.files import private_folder
from ngp.state import keeper
from ngp.state.waiting import Wait

_TAKEN = "taken "  # a path: so the keeper answers where another process has the lock


@dataclass(frozen=True)
class Keeper:
    """A running keeper; it ends by `release`, or after a killed ngp with the last Terraform of that one."""

    process: processes.Child

    def release(self, paths: Collection[Path] = ()) -> None:
        """Give the locks of some states back, or all of them, and wait until they are."""
        self.ask(json.dumps([str(path) for path in paths]))
        if not paths:
            self.process.communicate()

    def ask(self, line: str) -> str:
        """Say a line; return the answer, "" from a keeper that has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        return ""


def start(paths: Mapping[Path, str], calls: Path, wait: Wait) -> Keeper:
    """Lock these state files, each with its lock's text; raise LockHeldError (5) where one stays taken.

    `calls` is the folder of the run's Terraform calls: should ngp be killed, the locks stay while one is at work.
    Raises StoppedError where the operator interrupts the wait.
    """
    for path in paths:
        private_folder(path.parent)
    request = programs.request(keeper, folder=Path.cwd(), environ={"PATH": os.defpath})
    process = processes.popen(request, with_input=True, tied=False)
    order = json.dumps({"locks": {str(path): text for path, text in paths.items()}, "calls": str(calls)})
    running = Keeper(process)
    answer = running.ask(order)
    try:
        while answer.startswith(_TAKEN) and wait.goes_on(partial(_locked, answer)):
            answer = running.ask(order)
    except BaseException:
        process.communicate()
        raise
    if answer == "held":
        return running
    _, stderr = process.communicate()
    if answer.startswith(_TAKEN):
        raise LockHeldError(
            _locked(answer),
            where=answer.removeprefix(_TAKEN),
            todo="wait until it has ended (-lock-timeout=10m waits), or end it: that releases the lock",
        )
    raise NgpError("cannot hold the locks of the local states", why=stderr.strip() or "the keeper ended")


def _locked(answer: str) -> str:
    """Who has locked the state that the keeper found taken."""
    path = Path(answer.removeprefix(_TAKEN))
    return f"the state of `{path.stem}` is locked by {_holder(path)}"


def _holder(path: Path) -> str:
    try:
        lock = json.loads(path.with_name(f".{path.name}.lock.info").read_text(encoding="utf-8"))
        return f"{lock['Who']} since {lock['Created']} ({lock['Operation']}, lock {lock['ID']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said who it is"
