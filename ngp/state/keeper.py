"""Holds the locks of local states for an ngp that may be killed: ``python -m ngp.state.keeper``.

Reads a line of JSON from stdin, ``{"locks": {"PATH": "lock info"}, "calls": "FOLDER"}``, locks every path and answers
``held``; or it answers ``taken PATH``, holds nothing, and waits for such a line again. Once they are held, each line is
a JSON list of paths to release, answered ``released``; an empty list releases all and ends it. When stdin ends before
that (ngp was killed), the locks stay while a Terraform of that ngp is at work: while a folder in `calls` is held
(`files.lock_folder`).

Imports nothing but `ngp.files` and the standard library, because it must start quickly.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

from ngp import files

_LOOK_S = 0.2
_Lock = tuple[int, Path, bool]  # the descriptor, the state file, and whether the lock made it


def main() -> None:
    """Take the locks, with as many attempts as requested, and hold them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when its ngp says so, or with its Terraform
    for line in sys.stdin:
        order = json.loads(line)
        held, taken = _take(order["locks"])
        _answer(f"taken {taken}" if taken else "held")
        if not taken:
            _keep(held, Path(order["calls"]))
            return


def _take(locks: dict[str, str]) -> tuple[list[_Lock], Path | None]:
    """Lock every path or none; return the locks, and the path that another process has locked."""
    held: list[_Lock] = []
    for text, info in locks.items():
        path = Path(text)
        made = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            _release(held)
            return [], path
        _info(path).write_text(info, encoding="utf-8")
        held.append((handle, path, made))
    return held, None


def _keep(held: list[_Lock], calls: Path) -> None:
    """Hold the locks until told to release them, or until the last Terraform of a killed ngp has ended."""
    for line in sys.stdin:
        paths = {Path(text) for text in json.loads(line)}
        _release([one for one in held if not paths or one[1] in paths])
        held = [one for one in held if paths and one[1] not in paths]
        _answer("released")
        if not paths:
            return
    while _is_at_work(calls):
        time.sleep(_LOOK_S)
    _release(held)


def _release(held: list[_Lock]) -> None:
    for handle, path, made in held:
        _info(path).unlink(missing_ok=True)
        if made and os.fstat(handle).st_size == 0:
            path.unlink(missing_ok=True)  # as Terraform does with a state file that it made and never wrote
        os.close(handle)


def _info(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock.info")


def _is_at_work(calls: Path) -> bool:
    """Whether a Terraform call with its folder in `calls` is running."""
    return any(files.is_folder_locked(folder) for folder in (calls.iterdir() if calls.is_dir() else ()))


def _answer(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        pass  # the ngp that asked has ended


if __name__ == "__main__":
    main()
