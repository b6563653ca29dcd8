"""Many hosts: listing them, and running one command on all of them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import platforms
from bench.cases.environment import Bench
from bench.contest import OURS, Case, Contestant, Goal, Scores, times
from bench.lab import Lab
from bench.measuring import Command, measure, run
from bench.platforms import ENVIRONMENT, Kind
from ngp import processes
from ngp.aws.session import Session
from ngp.environments import platforms as loading

_LISTED, _LIST_S, _MEMORY_MB = 500, 2.0, 200.0
_ADDRESSES, _PER_SSHD = 64, 16  # what is reached; how many addresses one sshd listens on at most (MAX_LISTEN_SOCKS)
_SSHD = Path("/usr/sbin/sshd")
_SMALL = 5  # `--quick` asks for so many units: then there are fewer hosts, too
_PSSH, _PDSH = "parallel-ssh", "pdsh"
_FILE, _EC2 = "ngp, hosts.yaml", "ngp, EC2 asked before"
_READY_S = 20.0


def cases(bench: Bench) -> Iterator[Case]:
    """Return two cases; the second needs Debian's openssh-server."""
    platform = platforms.make(bench.lab.folder / "hosts", 3, (Kind.NGP,))[Kind.NGP]
    yield _listing(bench, platform, _LISTED if bench.options.units > _SMALL else 50)
    if not _SSHD.is_file() or not shutil.which("ssh-keygen"):
        print("hosts: there is no sshd or no ssh-keygen on this machine", file=sys.stderr)
        return
    farm = _open_farm(bench.lab, _ADDRESSES if bench.options.units > _SMALL else _PER_SSHD)
    (platform / "hosts.yaml").write_text(_entries(farm.addresses, farm.port, farm.host_key))
    yield Case(
        "host-exec",
        "One command on many hosts",
        f"`true` on {len(farm.addresses)} addresses of sshd on this machine, all at once, each with a login of its own "
        "and a check of its host key; the sshds take part in the time, not in the memory.",
        tuple(_commanding(bench.lab, platform, farm)),
        (*(times(1, peer) for peer in (_PSSH, _PDSH) if shutil.which(peer)), _at_most("memory_mb", _MEMORY_MB, OURS)),
        repeats=bench.options.repeats,
    )


def _listing(bench: Bench, platform: Path, count: int) -> Case:
    lab = bench.lab
    lab.api.lend(platform)
    tags = {"Project": loading.load(platform).name, "Environment": ENVIRONMENT, "Cluster": "web"}
    _launch(Session(lab.api.environ({})), count, tags)
    (platform / "hosts.yaml").write_text(_entries([f"10.0.{n // 250}.{n % 250}" for n in range(count)], 22))
    fresh = lab.ngp(platform, "host", "list", ENVIRONMENT, "--fresh")
    of_file, of_ec2 = (lab.ngp(platform, "host", "list", name) for name in ("lab", ENVIRONMENT))
    return Case(
        "host-list",
        f"A list of {count} hosts",
        "`ngp host list`: of a hosts.yaml, and of EC2's answer that a command before has kept.",
        (
            Contestant(_FILE, lambda: measure(lambda: run(of_file), lab.api)),
            Contestant(_EC2, lambda: measure(lambda: run(of_ec2), lab.api), lambda: run(fresh)),
        ),
        tuple(_at_most(what, most, who) for who in (_FILE, _EC2) for what, most in _MOST.items()),
        repeats=bench.options.repeats,
    )


def _launch(session: Session, count: int, tags: dict[str, str]) -> None:
    image = (session.call("ec2", "describe_images", Owners=["amazon"]) or {})["Images"][0]["ImageId"]
    said = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
    session.call("ec2", "run_instances", ImageId=image, MinCount=count, MaxCount=count, TagSpecifications=said)


def _commanding(lab: Lab, platform: Path, farm: _Farm) -> Iterator[Contestant]:
    at_once = str(len(farm.addresses))
    ours = ("host", "exec", "lab", "--ssh-config", str(farm.config), "--parallelism", at_once, "--", "true")
    yield _contestant(OURS, lab.ngp(platform, *ours), lab, farm)
    if shutil.which(_PSSH):
        words = ("--hosts", str(farm.names), "--par", at_once, "--timeout", "60", "--extra-args", f"-F {farm.config}")
        yield _contestant(_PSSH, lab.peer(platform, _PSSH, *words, "true"), lab, farm)
    if shutil.which(_PDSH):
        command = lab.peer(platform, _PDSH, "-S", "-R", "ssh", "-f", at_once, "-w", f"^{farm.names}", "true")
        own = {"PDSH_SSH_ARGS_APPEND": f"-F {farm.config}"}
        yield _contestant(_PDSH, replace(command, env={**command.env, **own}), lab, farm)


def _contestant(name: str, command: Command, lab: Lab, farm: _Farm) -> Contestant:
    return Contestant(name, lambda: measure(lambda: run(command), lab.api, without=farm.pids))


_MOST = {"wall_s": _LIST_S, "memory_mb": _MEMORY_MB}
_WORDS = {"wall_s": "s", "memory_mb": "MB"}


def _at_most(what: str, most: float, who: str) -> Goal:
    def judge(scores: Scores) -> tuple[str, bool]:
        found = scores[who].median(what)
        return f"{found:.2f} {_WORDS[what]}" if found < 10 else f"{found:.0f} {_WORDS[what]}", found <= most

    return Goal(f"{who}: ≤ {most:g} {_WORDS[what]}", (who,), judge)


@dataclass(frozen=True)
class _Farm:
    """Real sshds of this user; `names` is a file with an address a line, `config` an ssh_config."""

    addresses: Sequence[str]
    port: int
    host_key: str
    config: Path
    names: Path
    pids: Collection[int]


def _open_farm(lab: Lab, count: int) -> _Farm:
    folder = lab.folder / "farm"
    folder.mkdir()
    port, addresses = _free_port(), [f"127.0.8.{number}" for number in range(1, count + 1)]
    host_key, own = _key(folder / "host"), _key(folder / "user")
    (folder / "authorized").write_text(own + "\n")
    (folder / "known_hosts").write_text("".join(f"[{address}]:{port} {host_key}\n" for address in addresses))
    (folder / "names").write_text("".join(f"{address}\n" for address in addresses))
    said = {"User": getpass.getuser(), "Port": str(port), "IdentityFile": f"{folder}/user", "IdentitiesOnly": "yes"}
    said |= {"IdentityAgent": "none", "UserKnownHostsFile": f"{folder}/known_hosts", "StrictHostKeyChecking": "yes"}
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in said.items()))
    starts = range(0, count, _PER_SSHD)
    pids = frozenset(_serve(folder, addresses[at : at + _PER_SSHD], port, lab) for at in starts)
    return _Farm(addresses, port, host_key, folder / "config", folder / "names", pids)


def _serve(folder: Path, addresses: Sequence[str], port: int, lab: Lab) -> int:
    """Start one sshd, which ends with the laboratory; return its process."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    name = f"{folder}/sshd-{addresses[0]}"
    lines = [f"ListenAddress {address}:{port}" for address in addresses]
    lines += [f"HostKey {folder}/host", f"AuthorizedKeysFile {folder}/authorized", f"PidFile {name}.pid"]
    lines += ["StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin yes", "UseDNS no"]
    lines += ["MaxStartups 200", "LogLevel ERROR"]
    Path(f"{name}.conf").write_text("\n".join(lines) + "\n")
    argv = (str(_SSHD), "-D", "-e", "-f", f"{name}.conf")
    pid = processes.start(processes.ProcessRequest(argv, folder, lab.plain), Path(f"{name}.log"))
    lab.stack.callback(processes.end_group, pid)
    deadline = time.monotonic() + _READY_S
    while not _listens(addresses[-1], port):
        if time.monotonic() > deadline or not processes.is_alive(pid):
            raise RuntimeError(f"sshd does not come up: {Path(f'{name}.log').read_text()}")
        time.sleep(0.05)
    return pid


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _key(path: Path) -> str:
    """Make a key; return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def _entries(addresses: Sequence[str], port: int, host_key: str = "") -> str:
    """The text of a hosts.yaml."""
    keys = f", host_keys: ['{host_key}']" if host_key else ""
    rows = [
        f"  node-{number}: {{environment: lab, cluster: web, address: {address}, port: {port}{keys}}}\n"
        for number, address in enumerate(addresses)
    ]
    return "hosts:\n" + "".join(rows)
