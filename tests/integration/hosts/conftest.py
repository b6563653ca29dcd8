"""Real sshds on loopback addresses: sound ones, and one of every kind that is not."""

import contextlib
import getpass
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from ngp.hosts.host import Host, HostState
from ngp.hosts.logins import Login
from ngp.hosts.remote import Options
from ngp.hosts.trust import Trust
from tests.integration.hosts.sshds import SSHD, free_port, key, sshd
from tests.prerequisites import missing

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
