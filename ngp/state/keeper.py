"""Holds the locks of local states for an ngp that may be killed: ``python -m ngp.state.keeper``.

Reads one line of JSON from stdin, ``{"PATH": "lock info"}``, locks every path and answers ``held``, or ``taken PATH``
and ends. Then it waits: the line ``release`` (or ``release PID …`` after an end of its stdin, see below) ends it.
``until PID`` names a process; when stdin ends without ``release`` (ngp was killed), the locks stay until that process
has ended. Runs on the standard library alone, for it must start quickly and need nothing of ngp.
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
    """Hold the locks until told to release them, or until the named process has ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with its ngp's word, or with its Terraform
    held: list[tuple[int, Path, bool]] = []
    for text, info in json.loads(sys.stdin.readline()).items():
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
    pid = 0
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "release":
            _release(held)
            _answer("released")
            return
        if word == "until":
            pid = int(rest)
    while pid and _is_alive(pid):
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


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answer(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        pass  # whoever asked is gone


if __name__ == "__main__":
    main()
