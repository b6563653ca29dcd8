"""Real sshds on loopback addresses: sound ones, and one of every kind that is not."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from ngp.hosts.host import Host, HostState
from ngp.hosts.logins import Login
from ngp.hosts.remote import Options
from ngp.hosts.trust import Trust
from tests.conftest import missing

SSHD = "/usr/sbin/sshd"
SOUND, PER_SSHD = 50, 16  # addresses; how many of them one sshd takes (MAX_LISTEN_SOCKS)


@pytest.fixture(autouse=True)
def own_sandbox():
    """No sandbox runs in these platforms: their machines are those of hosts.yaml."""


@dataclass(frozen=True)
class Farm:
    folder: Path
    port: int
    host_key: str
    config: Path  # an ssh_config with the key that is let in

    def host(self, number, **more):
        """The machine at 127.0.7.NUMBER."""
        said = {"private_address": f"127.0.7.{number}", "port": self.port, "host_keys": (self.host_key,)}
        known = {"user": getpass.getuser(), "state": HostState.UNKNOWN, "cluster": "web", "source": "file"}
        name = more.pop("name", f"node-{number}")
        return Host(name, name, "qa", **{**said, **known, **more})

    def hosts(self, count=SOUND):
        return [self.host(number) for number in range(1, count + 1)]

    def options(self, folder, **more):
        login = Login(Trust(folder / "trust", folder), config=self.config, connect_s=3.0, login_s=4.0)
        return Options(**{"login": login, "stop": Event(), **more})


def key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _listens(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def sshd(folder, addresses, port, host_key, authorized, *, more=(), around=()):
    """Run a sshd as this user, with `more` lines of configuration; `around` is a command that starts it."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    name = f"sshd-{addresses[0]}-{port}"
    config = folder / f"{name}.conf"
    lines = [f"ListenAddress {address}:{port}" for address in addresses]
    lines += [f"HostKey {host_key}", f"AuthorizedKeysFile {authorized}", f"PidFile {folder}/{name}.pid"]
    lines += ["StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"]
    lines += ["PermitRootLogin yes", "Subsystem sftp internal-sftp", "MaxStartups 100", "UseDNS no"]
    config.write_text("\n".join([*more, *lines, "LogLevel ERROR"]) + "\n")
    process = subprocess.Popen([*around, SSHD, "-D", "-e", "-f", config], stderr=(folder / f"{name}.log").open("w"))
    try:
        deadline = time.monotonic() + 20
        while not _listens(addresses[-1], port):
            assert process.poll() is None, (folder / f"{name}.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    if not Path(SSHD).is_file() or not shutil.which("ssh-keygen"):
        missing("Debian's openssh-server and openssh-client")
    folder = tmp_path_factory.mktemp("farm")
    host_key = key(folder / "host")
    (folder / "authorized").write_text(key(folder / "user") + "\n")
    config = folder / "ssh_config"
    config.write_text(f"IdentityFile {folder}/user\nIdentitiesOnly yes\nIdentityAgent none\n")
    port, addresses = free_port(), [f"127.0.7.{n}" for n in range(1, SOUND + 1)]
    with contextlib.ExitStack() as stack:
        for at in range(0, SOUND, PER_SSHD):
            some = addresses[at : at + PER_SSHD]
            stack.enter_context(sshd(folder, some, port, folder / "host", folder / "authorized"))
        yield Farm(folder, port, host_key, config)


@pytest.fixture(scope="module")
def person(farm):
    """A machine that lets in somebody who is not root; `home` of the machine is a folder that they may write to.

    For root, sshd gets a /etc/passwd of its own, with one more user.
    """
    with tempfile.TemporaryDirectory(prefix="person-", dir="/tmp") as name:
        home, around, user = Path(name), (), getpass.getuser()
        if os.geteuid() == 0:
            if not shutil.which("unshare"):
                missing("unshare of util-linux")
            user = "somebody"
            home.chmod(0o777)
            (home / "passwd").write_text(f"{Path('/etc/passwd').read_text()}{user}:x:4321:4321::{home}:/bin/sh\n")
            around = ("unshare", "-m", "sh", "-c", f'mount --bind {home}/passwd /etc/passwd && exec "$@"', "sh")
        shutil.copy(farm.folder / "authorized", home)
        (home / "authorized").chmod(0o644)
        host = farm.host(220, name="person", port=free_port(), user=user)
        with sshd(home, [host.address], host.port, farm.folder / "host", home / "authorized", around=around):
            yield host, home


@contextlib.contextmanager
def listener(answer):
    """A server on a port of its own that does `answer` with each connection; gives the port."""
    server = socket.create_server(("127.0.7.200", 0))
    kept = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()
        for connection in kept:
            connection.close()
