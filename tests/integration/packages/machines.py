"""Machines with a real sshd, a real dpkg and a real apt: this system seen through an overlay that keeps every change.

Each has a mount namespace of its own, an empty package database and one apt repository. sshd listens on an address of
loopback for each and enters the machine of the address. Needs root.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

WEB = {"web-1": "127.0.15.1", "web-2": "127.0.15.2"}

TOOLS = ("sshd", "ssh", "ssh-keygen", "unshare", "nsenter", "dpkg-deb", "apt-get", "apt-ftparchive", "flock")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
ROOM = """set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
cd "$1/root"
mount --bind /dev dev
rm -rf var/lib/dpkg var/lib/apt var/cache/apt etc/apt/sources.list etc/apt/sources.list.d etc/apt/apt.conf.d var/lib/ngp
mkdir -p var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers var/lib/apt/lists/partial \
  var/cache/apt/archives/partial etc/apt/apt.conf.d etc/apt/sources.list.d
touch var/lib/dpkg/status var/lib/dpkg/available
cp -r "$2" srv/apt
echo 'deb [trusted=yes] file:/srv/apt ./' >etc/apt/sources.list
echo ready
exec chroot . sleep 3600
"""
ENTER = """#!/bin/sh
set -- $SSH_CONNECTION
exec nsenter -t "$(cat {folder}/pid-$3)" -m -r -- /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


def missing():
    """Return what this machine lacks for it, "" for nothing."""
    tools = [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]
    return ", ".join(tools) or ("" if os.geteuid() == 0 else "root")


def publish(folder, packages):
    """Make an apt repository of `packages`: (name, version, script that runs after the files are there)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, version, script in packages:
        tree = folder.parent / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "opt" / name).mkdir(parents=True)
        (tree / "opt" / name / "version").write_text(f"{version}\n")
        about = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: ngp <ngp@example.com>\n"
        (tree / "DEBIAN" / "control").write_text(f"{about}Description: for a test\n")
        (tree / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\n{script}\n")
        (tree / "DEBIAN" / "postinst").chmod(0o755)
        _do("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, folder)
    (folder / "Packages").write_text(_do("apt-ftparchive", "packages", ".", cwd=folder))
    (folder / "Release").write_text(_do("apt-ftparchive", "release", ".", cwd=folder))


@dataclass
class Machines:
    """Machines by address, the port of their sshd, the key that opens them and the key that they show."""

    folder: Path
    addresses: tuple[str, ...]
    port: int = 0
    host_key: str = ""
    processes: list = field(default_factory=list)

    def start(self, repository):
        for address in self.addresses:
            place = self.folder / f"room-{address}"
            place.mkdir()
            room = self._start("unshare", "-m", "sh", "-c", ROOM, "room", place, repository)
            assert room.stdout.readline() == "ready\n", room.communicate()[1]
            (self.folder / f"pid-{address}").write_text(str(room.pid))
        self.host_key = new_key(self.folder / "host")
        new_key(self.folder / "own")
        self._start_sshd()

    def _start_sshd(self):
        enter = self.folder / "enter"
        enter.write_text(ENTER.format(folder=self.folder))
        enter.chmod(0o755)
        with socket.socket() as free:
            free.bind((self.addresses[0], 0))
            self.port = free.getsockname()[1]
        said = {
            "HostKey": self.folder / "host", "AuthorizedKeysFile": self.folder / "own.pub", "PidFile": "none",
            "UsePAM": "no", "StrictModes": "no", "PermitRootLogin": "yes", "ForceCommand": enter,
            "Subsystem": "sftp /usr/lib/openssh/sftp-server",
        }  # fmt: skip
        listen = [f"ListenAddress {address}:{self.port}" for address in self.addresses]
        lines = [*listen, *(f"{name} {value}" for name, value in said.items())]
        (self.folder / "sshd_config").write_text("\n".join(lines) + "\n")
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd separates its privileges
        sshd = shutil.which("sshd", path=PATH)
        self._start(sshd, "-D", "-e", "-f", self.folder / "sshd_config")
        for address in self.addresses:
            self._wait(address)

    def _wait(self, address):
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection((address, self.port), 1):
                return
            time.sleep(0.02)
        raise AssertionError(f"no sshd at {address}")

    def _start(self, *argv):
        process = subprocess.Popen(
            [str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PATH": PATH}
        )
        self.processes.append(process)
        return process

    def look(self, address, script):
        """Run a script in a machine, past sshd, and return what it prints."""
        pid = (self.folder / f"pid-{address}").read_text()
        return _do("nsenter", "-t", pid, "-m", "-r", "--", "/bin/sh", "-c", script).strip()

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.communicate()


def new_key(path):
    """Make a key pair and return its public part."""
    _do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def _do(*argv, cwd=None):
    words = [str(word) for word in argv]
    done = subprocess.run(words, cwd=cwd, env={"PATH": PATH}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
