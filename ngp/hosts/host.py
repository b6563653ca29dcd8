"""A host: one machine of an environment, from any source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

SSH_PORT = 22
WAYS = ("ssh", "ssm", "instance-connect")  # see `ngp.hosts.ways`
_USER_TAG = "ngp:user"
USER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")  # a tag may hold anything: a template, an option, a path
_PACKAGE = re.compile(r"[-\w.+]+")
_NUMBER = re.compile(r"(\d+)")


class HostState(Enum):
    """The state of a host, in EC2's words if EC2 has one."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ENDING = "shutting-down"
    REPLACED = "being replaced"
    UNKNOWN = "unknown"  # the source knows that the host exists, and no more


@dataclass(frozen=True)
class Host:
    """One machine. `id` is unique within its source; `source` is ``cloud``, ``state`` or ``file``.

    `host_keys` are public keys that the source itself vouches for, such as ``ssh-ed25519 AAAA…``. `opens_ssh` says
    whether its security groups let anybody reach its sshd, None if nobody knows.
    """

    name: str
    id: str
    environment: str
    cluster: str = ""
    unit: str = ""
    packages: tuple[str, ...] = ()
    public_address: str = ""
    private_address: str = ""
    public_dns: str = ""
    private_dns: str = ""
    user: str = ""  # "": ssh_config decides
    port: int = SSH_PORT
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    state: HostState = HostState.RUNNING
    source: str = "cloud"
    host_keys: tuple[str, ...] = ()
    opens_ssh: bool | None = None

    @property
    def address(self) -> str:
        """The address to connect to: the public name or address if there is one, else the private one."""
        return self.public_dns or self.public_address or self.private_address or self.private_dns

    @property
    def is_up(self) -> bool:
        """Whether commands can run there, as far as its source knows."""
        return self.state in (HostState.RUNNING, HostState.UNKNOWN)

    @property
    def words(self) -> tuple[str, ...]:
        """All texts that a selection may match in part."""
        own = (self.name, self.id, self.public_dns, self.private_dns, self.public_address, self.private_address)
        return tuple(word for word in (*own, *self.tags.values()) if word)


def of_tags(tags: Mapping[str, str], host_id: str, user: str) -> Host:
    """Return a host's properties from the tags that modules set; `user` logs in if no tag says otherwise."""
    return Host(
        name=tags.get("Name") or host_id,
        id=host_id,
        environment=tags.get("Environment", ""),
        cluster=tags.get("Cluster", ""),
        unit=tags.get("ngp:unit", ""),
        packages=packages(tags.get("Packages", "")),
        user=tags.get(_USER_TAG, user),
        tags=dict(tags),
    )


def packages(tag: str) -> tuple[str, ...]:
    """Return the names in a tag ``Packages``: ``|docker|swarm-worker|``."""
    return tuple(_PACKAGE.findall(tag))


def order(host: Host) -> tuple[Any, ...]:
    """Return a stable sort key for hosts; ``web-10`` comes after ``web-9``."""
    return (host.environment, host.cluster, _natural(host.name), host.id)


def distinct(hosts: Iterable[Host]) -> list[Host]:
    """Return hosts with names that differ: of several with one name, as in a scaling group, each gets its id too."""
    found = list(hosts)
    names = apart([host.name for host in found], [host.id for host in found])
    return [replace(host, name=name) for host, name in zip(found, names, strict=True)]


def apart(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return names that differ: each that another one has gets its id behind it, until none is left.

    More than once where a tag imitates a name with an id.
    """
    found = list(names)
    for _ in found:
        often = Counter(found)
        if len(often) == len(found):
            break
        found = [f"{name}-{number}" if often[name] > 1 else name for name, number in zip(found, ids, strict=True)]
    return found


def to_data(host: Host) -> dict[str, Any]:
    """Return a host as JSON data, which `from_data` reads."""
    return {**vars(host), "state": host.state.value, "tags": dict(host.tags)}


def from_data(data: Mapping[str, Any]) -> Host:
    """Return the host that `to_data` wrote. Raises TypeError, KeyError or ValueError for other data."""
    lists = {name: tuple(data[name]) for name in ("packages", "host_keys")}
    return Host(**{**data, **lists, "state": HostState(data["state"])})


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    parts = _NUMBER.split(name)
    return tuple((text, int(number)) for text, number in zip(parts[::2], [*parts[1::2], "0"], strict=True))
