"""`ngp` at a pseudo-terminal."""

import os
import pty
import select
import subprocess
import sys
import time


def at_terminal(folder, *argv, env, limit_s=120):
    """Run `ngp` with a pseudo-terminal at every end and nobody at it; (exit code, everything that it showed)."""
    ours, theirs = pty.openpty()
    whole = {name: value for name, value in {**os.environ, **env}.items() if value}
    process = subprocess.Popen(
        [sys.executable, "-m", "ngp", *argv],
        cwd=folder,
        env=whole,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, deadline = b"", time.monotonic() + limit_s
    try:
        while time.monotonic() < deadline:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                read = os.read(ours, 65536)
            except OSError:  # the other end is closed: the process has ended
                break
            if not read:
                break
            shown += read
        return process.wait(timeout=max(1, deadline - time.monotonic())), shown.decode()
    finally:
        process.kill()
        os.close(ours)
