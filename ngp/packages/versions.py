"""Installed packages on hosts, and records of deployments: what, by whom and when. The hosts store the records.

A record on the host is written by the step that installs, holds for whoever deploys from wherever, and goes with the
host: a machine that was replaced has nothing deployed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ngp.errors import Finding
from ngp.hosts.host import Host
from ngp.packages import fleet, scripts
from ngp.packages.fleet import CommandResult, Run


@dataclass(frozen=True)
class Deployment:
    """A record of a deployed or installed package, as the host reports it."""

    when: str
    id: str
    who: str
    action: str
    package: str
    version: str


@dataclass(frozen=True)
class PackageVersion:
    """A package on a host: the installed version ("" for none), and the last deployment, if any."""

    host: str
    package: str
    installed: str
    deployed: Deployment | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether somebody changed it since its deployment, without ngp."""
        return self.deployed is not None and self.installed != self.deployed.version


@dataclass(frozen=True)
class Versions:
    """Packages of hosts, in the order of hosts, then of names; and the hosts that did not answer."""

    found: tuple[PackageVersion, ...]
    unreached: tuple[Finding, ...]


def collect(hosts: Sequence[Host], names: Sequence[str], run: Run) -> Versions:
    """Return the named packages of hosts; without names, all that were ever deployed by ngp."""
    lines: dict[str, list[str]] = {host.id: [] for host in hosts}
    lock = threading.Lock()

    def add(host: Host, line: str) -> None:
        with lock:
            lines[host.id].append(line)

    results = run(hosts, scripts.versions(names), add)
    bad = [each for each in results if not fleet.is_good(each)]
    gone = {each.host.id for each in bad}
    found = [one for host in hosts if host.id not in gone for one in _read(host.name, names, lines[host.id])]
    return Versions(tuple(found), tuple(_unreached(each) for each in bad))


def _unreached(result: CommandResult) -> Finding:
    return Finding("cannot read the versions", result.host.name, fleet.reason(result), result.todo)


def _read(host: str, names: Sequence[str], lines: Iterable[str]) -> list[PackageVersion]:
    installed: dict[str, str] = {}
    deployed: dict[str, Deployment] = {}
    for line in lines:
        kind, *fields = line.split("\t")
        if kind == scripts.INSTALLED and len(fields) == 3 and fields[2] == "installed":
            installed[fields[0]] = fields[1]
        if kind == scripts.DEPLOYED and len(fields) == 6:
            when, number, who, action, package, version = fields
            deployed[package] = Deployment(when, number, who, action, package, version)
    known = sorted({*names} or {*installed, *deployed})
    return [PackageVersion(host, name, installed.get(name, ""), deployed.get(name)) for name in known]
