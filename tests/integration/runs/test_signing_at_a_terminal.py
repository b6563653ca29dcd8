"""A maker whose key has a passphrase, at a terminal with a live display: the question stays in sight."""

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from ngp.runs.bundle import archive

pytestmark = pytest.mark.terraform


def read(terminal, seconds, until=b""):
    """What the terminal shows in this time, or until it shows something."""
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and not (until and until in shown):
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # its end, on Linux
                break
    return shown


def test_the_display_makes_room_for_the_passphrase(platform, ngp, tmp_path, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key, out = tmp_path / "key", tmp_path / "change.bundle"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse", "-f", key], check=True)
    assert ngp.run("render").exit_code == 0
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(platform)
        line = ["plan", "dev", "--out", str(out), "--key", str(key), "--no-pager"]
        os.execv(sys.executable, [sys.executable, "-m", "ngp", *line])
    shown = read(terminal, 120, until=b"passphrase")
    assert b"passphrase" in shown
    assert read(terminal, 1.5).strip(b"r :") == b"", "the display writes over the question"
    os.write(terminal, b"correct horse\n")
    shown = read(terminal, 60)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert len(archive.read(out).approvals) == 1


def test_a_key_that_does_not_exist_is_told_before_anything_is_planned(platform, ngp, tmp_path):
    assert ngp.run("render").exit_code == 0
    done = ngp.call("plan", "dev", "--out", str(tmp_path / "x.bundle"), "--key", "none", "--json")
    assert done.exit_code == 64
    assert not (platform / ".ngp" / "runs").exists()
