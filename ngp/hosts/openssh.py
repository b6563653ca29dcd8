"""The system's OpenSSH: its command line for one host, and its configuration for all. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.errors import UsageError
from ngp.hosts.host import SSH_PORT, USER_NAME, Host, apart

if TYPE_CHECKING:
    from ngp.hosts.logins import Login

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_NO_ALIAS = re.compile(r"[^A-Za-z0-9_.-]+")
_GLOBAL = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


def login(host: Host, words: Sequence[str], way: Login) -> tuple[str, ...]:
    """Return ssh's command line for a host; `words` stand behind it: a command, or more options.

    The user's own ssh_config and known_hosts count as always. The environment's known_hosts is added to the system's,
    and an unknown key is refused. Raises UsageError (64) for a host without an address.
    """
    if not _ADDRESS.fullmatch(host.address):
        raise UsageError(f"`{host.name}` has no address", why=f"it is {host.state.value}")
    name = way.user or host.user
    if name and not USER_NAME.fullmatch(name):
        raise UsageError(f"`{name}` is not a valid user name")
    own = ["-F", str(way.config)] if way.config else []
    port = ["-p", str(host.port)] if host.port != SSH_PORT else []
    options = _checks(way.trust.file(host.environment))
    if proxy := way.proxy(host) if way.proxy else ():
        options["ProxyCommand"] = shlex.join(proxy).replace("%", "%%")
    # `-i` comes before what ssh_config names; the agent's other keys are not offered
    only = ["-i", str(way.key.private).replace("%", "%%"), "-o", "IdentitiesOnly=yes"] if way.key else []
    keys = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return ("ssh", *own, *port, *only, *keys, *(["-l", name] if name else []), host.address, *words)


def config(hosts: Iterable[Host], known_hosts: Mapping[str, Path]) -> str:
    """Return an ssh_config with an entry per host; `known_hosts` has the file of each environment."""
    lines = []
    for host, alias in aliases(hosts).items():
        if not _ADDRESS.fullmatch(host.address):
            lines += [f"# {alias} is {host.state.value} and has no address", ""]
            continue
        options = {"HostName": host.address, "User": host.user if USER_NAME.fullmatch(host.user) else "", "Port": ""}
        options["Port"] = str(host.port) if host.port != SSH_PORT else ""
        options |= _checks(known_hosts[host.environment])
        lines += [f"Host {alias}", *(f"  {key} {value}" for key, value in options.items() if value), ""]
    return "\n".join(lines)


def aliases(hosts: Iterable[Host]) -> dict[Host, str]:
    """Return a name for each host that ssh and Ansible accept; hosts with equal names get their ids, too."""
    found = list(hosts)
    names = [_NO_ALIAS.sub("-", host.name).strip("-.") or host.id for host in found]
    ids = [_NO_ALIAS.sub("-", host.id) for host in found]
    return dict(zip(found, apart(names, ids), strict=True))


def inventory(hosts: Iterable[Host]) -> dict[str, object]:
    """Return Ansible's inventory, for a file whose name ends with .json: a group per environment, cluster and unit."""
    groups: dict[str, dict[str, object]] = {}
    members: dict[str, object] = {}
    for host, alias in aliases(hosts).items():
        user = host.user if USER_NAME.fullmatch(host.user) else ""  # Ansible takes `{{ }}` in a value for a template
        address = host.address if _ADDRESS.fullmatch(host.address) else ""
        options = {"ansible_host": address, "ansible_user": user, "ansible_port": host.port}
        members[alias] = {key: value for key, value in options.items() if value}
        for kind, name in (("env", host.environment), ("cluster", host.cluster), ("unit", host.unit)):
            if name:
                groups.setdefault(f"{kind}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}", {})[alias] = {}
    children = {name: {"hosts": inside} for name, inside in sorted(groups.items())}
    return {"all": {"hosts": members, "children": children}}


def _checks(known_hosts: Path) -> dict[str, str]:
    """The options that check host keys. ssh takes ``%`` for a token, and blanks for ends of names."""
    own = str(known_hosts).replace("%", "%%")
    return {"GlobalKnownHostsFile": f'{" ".join(_GLOBAL)} "{own}"', "StrictHostKeyChecking": "yes"}
