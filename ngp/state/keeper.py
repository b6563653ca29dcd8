"""Holds the locks of local states for an ngp that may be killed: ``python -m ngp.state.keeper``.

Reads one line of JSON from stdin, ``{"locks": {"PATH": "lock info"}, "calls": "FOLDER"}``, locks every path and answers
``held``, or ``taken PATH`` and ends. Then each line is a JSON list of paths to release, answered ``released``; an empty
list releases all and ends it. When stdin ends before that (ngp was killed), the locks stay while a Terraform of that
ngp is at work: while a folder in `calls` is held (`files.hold`).

Runs on the standard library alone, because it must start quickly and need nothing of ngp.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

_LOOK_S = 0.2


def main() -> None:
    """Hold the locks until told to release them, or until the last Terraform of a killed ngp has ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its ngp's word, or with its Terraform
    order = json.loads(sys.stdin.readline())
    held: list[tuple[int, Path, bool]] = []
    for text, info in order["locks"].items():
        path = Path(text)
        made = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _answer(f"taken {path}")
            _release(held)
            return
        _info(path).write_text(info, encoding="utf-8")
        held.append((handle, path, made))
    _answer("held")
    for line in sys.stdin:
        paths = {Path(text) for text in json.loads(line)}
        _release([one for one in held if not paths or one[1] in paths])
        held = [one for one in held if paths and one[1] not in paths]
        _answer("released")
        if not paths:
            return
    while _is_at_work(Path(order["calls"])):
        time.sleep(_LOOK_S)
    _release(held)


def _release(held: list[tuple[int, Path, bool]]) -> None:
    for handle, path, made in held:
        _info(path).unlink(missing_ok=True)
        if made and os.fstat(handle).st_size == 0:
            path.unlink(missing_ok=True)  # as Terraform does with a state file that it made and never wrote
        os.close(handle)


def _info(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock.info")


def _is_at_work(calls: Path) -> bool:
    """Whether a Terraform call whose folder is in `calls` goes on."""
    return any(_is_held(folder) for folder in (calls.iterdir() if calls.is_dir() else ()))


def _is_held(folder: Path) -> bool:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _answer(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        pass  # whoever asked is gone


if __name__ == "__main__":
    main()
