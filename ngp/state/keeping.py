"""Starts and ends the process that holds the locks of local states (`keeper`)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ngp import processes
from ngp.errors import LockHeldError, NgpError
from ngp.files import private_folder
from ngp.state import keeper


@dataclass(frozen=True)
class Keeper:
    """A running keeper; it ends by `release`, or after a killed ngp with the last Terraform of that one."""

    process: processes.Child

    def release(self, paths: Collection[Path] = ()) -> None:
        """Give the locks of some states back, or all of them, and wait until they are."""
        self._say(json.dumps([str(path) for path in paths]))
        assert self.process.stdout is not None
        with suppress(OSError, ValueError):
            self.process.stdout.readline()
        if not paths:
            self.process.communicate()

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ValueError):
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()


def start(paths: Mapping[Path, str], calls: Path) -> Keeper:
    """Lock these state files, each with its lock's text; raise LockHeldError (5) where one is taken.

    `calls` is the folder of the run's Terraform calls: should ngp be killed, the locks stay while one is at work.
    """
    for path in paths:
        private_folder(path.parent)
    request = processes.Request((sys.executable, "-m", keeper.__name__), Path.cwd(), _environ())
    process = processes.popen(request, with_input=True, tied=False)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(
        json.dumps({"locks": {str(path): text for path, text in paths.items()}, "calls": str(calls)}) + "\n"
    )
    process.stdin.flush()
    answer = process.stdout.readline().strip()
    if answer == "held":
        return Keeper(process)
    _, stderr = process.communicate()
    if answer.startswith("taken "):
        path = Path(answer.removeprefix("taken "))
        raise LockHeldError(
            f"the state is locked by {_holder(path)}",
            where=str(path),
            todo="wait until it has ended, or end it; the lock goes with its process",
        )
    raise NgpError("the locks of the local states cannot be held", why=stderr.strip() or "the keeper ended")


def _environ() -> dict[str, str]:
    package = Path(keeper.__file__).parents[2]
    return {"PATH": os.defpath, "PYTHONPATH": str(package)}


def _holder(path: Path) -> str:
    try:
        lock = json.loads(path.with_name(f".{path.name}.lock.info").read_text(encoding="utf-8"))
        return f"{lock['Who']} since {lock['Created']} ({lock['Operation']}, lock {lock['ID']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has not said who it is"
