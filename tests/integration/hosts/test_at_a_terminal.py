"""`ngp host ssh` and `ngp host exec` at a terminal: its size, its keys, the end."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from ngp import cli, processes
from ngp.aws.session import Session
from ngp.hosts import instance_connect, reach
from tests.integration.hosts.sshds import free_port, sshd

INSTANCE = "i-0123456789abcdef0"


class Terminal:
    """The other side of a terminal that a child has."""

    def __init__(self, child, descriptor):
        self.child, self.descriptor, self.seen = child, descriptor, b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.descriptor, text)

    def wait_for(self, text, timeout_s=60):
        """Read until the text has come; what came before it is forgotten."""
        deadline = time.monotonic() + timeout_s
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.descriptor], [], [], 0.2)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.descriptor, 65536)
        self.seen = self.seen.partition(text)[2]

    def end(self):
        """Read to the end; return the exit code."""
        with contextlib.suppress(OSError):
            while os.read(self.descriptor, 65536):
                pass
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def open_terminal(work):
    """Do `work` in a child at a terminal of 30 rows and 100 columns; its result is the exit code."""
    child, descriptor = pty.fork()
    if child == 0:
        code = 70
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
            code = work()
        finally:
            os._exit(code)
    return Terminal(child, descriptor)


def use(terminal):
    """Work in a shell, with another size midway and a Ctrl-C for what runs there, then leave with 7."""
    terminal.type(b"PS1=; stty size; echo rea''dy\n")
    terminal.wait_for(b"30 100")
    terminal.wait_for(b"ready")
    terminal.resize(50, 160)
    terminal.type(b"sleep 1; stty size; echo sleep''ing; sleep 300\n")
    terminal.wait_for(b"50 160")
    terminal.wait_for(b"sleeping")
    time.sleep(0.3)
    terminal.type(b"\x03")
    terminal.type(b"echo wok''en; exit 7\n")
    terminal.wait_for(b"woken")
    assert terminal.end() == 7


def test_ssh_has_the_size_and_the_keys_of_the_terminal(farm, platform):
    row = f"environment: qa, address: 127.0.7.1, port: {farm.port}, host_keys: ['{farm.host_key}']"
    (platform / "hosts.yaml").write_text(f"hosts:\n  one: {{{row}}}\n")
    argv = (sys.executable, "-m", "ngp", "--chdir", str(platform), "host", "ssh", "qa", "-F", str(farm.config))
    use(open_terminal(lambda: os.execv(argv[0], argv)))


def test_so_has_ssh_with_a_key_that_is_deleted_afterwards(farm, platform, tmp_path, monkeypatch):
    authorized = tmp_path / "authorized"
    authorized.touch()
    port = free_port()
    row = f"environment: qa, address: 127.0.7.211, port: {port}, host_keys: ['{farm.host_key}']"
    (platform / "hosts.yaml").write_text(f"hosts:\n  {INSTANCE}: {{{row}}}\n")
    monkeypatch.setattr(reach.Reach, "session", lambda *_: Session({"AWS_REGION": "eu-central-1"}))
    monkeypatch.setattr(instance_connect, "push", lambda *words: authorized.write_text(words[-1] + "\n"))
    words = ("host", "ssh", "qa", "--via", "instance-connect", "--user", os.environ.get("USER", "root"))
    with sshd(tmp_path, ["127.0.7.211"], port, farm.folder / "host", authorized):
        use(open_terminal(lambda: cli.run(("--chdir", str(platform), *words))))
    assert not list(Path(platform / ".ngp/hosts").glob("key-*"))


@pytest.mark.parametrize("way", ["typed", "hung up"])
def test_ctrl_c_and_a_closed_terminal_end_what_exec_runs_on_the_hosts(farm, platform, tmp_path, way):
    rows = (f"environment: qa, address: 127.0.7.{n}, port: {farm.port}, host_keys: ['{farm.host_key}']" for n in (1, 2))
    (platform / "hosts.yaml").write_text("hosts:\n" + "".join(f"  n{at}: {{{row}}}\n" for at, row in enumerate(rows)))
    mark = tmp_path / "pids"
    words = ("host", "exec", "qa", "-F", str(farm.config), "--", f"echo $$ >>{mark}; echo begun; exec sleep 300")
    argv = (sys.executable, "-m", "ngp", "--chdir", str(platform), *words)
    terminal = open_terminal(lambda: os.execv(argv[0], argv))
    terminal.wait_for(b"begun")
    terminal.wait_for(b"begun")
    pids = [int(pid) for pid in mark.read_text().split()]
    if way == "typed":
        terminal.type(b"\x03")
        assert terminal.end() == 130
    else:
        os.close(terminal.descriptor)
        os.waitpid(terminal.child, 0)
    deadline = time.monotonic() + 10
    while any(map(processes.is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not [pid for pid in pids if processes.is_alive(pid)]
