"""Starts and stops the process that holds the locks of local states (`keeper`)."""

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

_TAKEN = "taken "  # followed by a path: the keeper's answer if another process has the lock


@dataclass(frozen=True)
class Keeper:
    """A running keeper. It ends by `release`, or after a killed ngp with its last Terraform."""

    process: processes.Child

    def release(self, paths: Collection[Path] = ()) -> None:
        """Release the locks of some states, or all of them, and wait for it."""
        self.ask(json.dumps([str(path) for path in paths]))
        if not paths:
            self.process.communicate()

    def ask(self, line: str) -> str:
        """Send a line; return the answer, "" from a keeper that has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        return ""


def start(paths: Mapping[Path, str], calls: Path, wait: Wait) -> Keeper:
    """Lock these state files, each with its lock's text. Raises LockHeldError (5) if one stays locked.

    `calls` is the folder of the run's Terraform calls: if ngp is killed, the locks stay while one is running. Raises
    StoppedError if the operator interrupts the wait.
    """
    for path in paths:
        private_folder(path.parent)
    request = programs.request(keeper, folder=Path.cwd(), environ={"PATH": os.defpath})
    process = processes.popen(request, with_input=True, tied=False)
    order = json.dumps({"locks": {str(path): text for path, text in paths.items()}, "calls": str(calls)})
    running = Keeper(process)
    answer = running.ask(order)
    try:
        while answer.startswith(_TAKEN) and wait.should_retry(partial(_locked, answer)):
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
    """Return who has locked the state that the keeper found locked."""
    path = Path(answer.removeprefix(_TAKEN))
    return f"the state of `{path.stem}` is locked by {_holder(path)}"


def _holder(path: Path) -> str:
    try:
        lock = json.loads(path.with_name(f".{path.name}.lock.info").read_text(encoding="utf-8"))
        return f"{lock['Who']} since {lock['Created']} ({lock['Operation']}, lock {lock['ID']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "an unknown process"
