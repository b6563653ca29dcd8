"""The system's OpenSSH: its command line for one host, and the names and options of hosts. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.errors import UsageError
from ngp.hosts.host import SSH_PORT, USER_NAME, Host, apart
from ngp.hosts.trust import address_pattern

if TYPE_CHECKING:
    from ngp.hosts.logins import Login

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_NO_ALIAS = re.compile(r"[^A-Za-z0-9_.-]+")
_GLOBAL = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


def login(host: Host, words: Sequence[str], way: Login, more: Sequence[Path] = ()) -> tuple[str, ...]:
    """Return ssh's command line for a host; `words` stand behind it: a command, or more options.

    The user's own ssh_config and known_hosts count as always. The environment's known_hosts and `more` are added to the
    system's, and an unknown key is refused. Raises UsageError (64) for a host without an address.
    """
    if not _ADDRESS.fullmatch(host.address):
        raise UsageError(f"`{host.name}` has no address", why=f"it is {host.state.value}")
    name = way.user or host.user
    if name and not USER_NAME.fullmatch(name):
        raise UsageError(f"`{name}` is not a valid user name")
    own = ["-F", str(way.config)] if way.config else []
    port = ["-p", str(host.port)] if host.port != SSH_PORT else []
    options = checks([way.trust.file(host.environment), *more])
    if proxy := way.proxy(host) if way.proxy else ():
        options["ProxyCommand"] = proxy_option(proxy)
    # `-i` comes before what ssh_config names; the agent's other keys are not offered
    only = ["-i", str(way.key.private).replace("%", "%%"), "-o", "IdentitiesOnly=yes"] if way.key else []
    keys = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    return ("ssh", *own, *port, *only, *keys, *(["-l", name] if name else []), host.address, *words)


def aliases(hosts: Iterable[Host]) -> dict[Host, str]:
    """Return a name for each host that ssh and Ansible accept; hosts with equal names get their ids, too."""
    found = list(hosts)
    names = [_NO_ALIAS.sub("-", host.name).strip("-.") or host.id for host in found]
    ids = [_NO_ALIAS.sub("-", host.id) for host in found]
    return dict(zip(found, apart(names, ids), strict=True))


def valid(host: Host) -> tuple[str, str]:
    """Return the address and the user of a host; "" for what ssh, Ansible or a shell could take for something else."""
    address = host.address if _ADDRESS.fullmatch(host.address) else ""
    return address, host.user if USER_NAME.fullmatch(host.user) else ""


def key_name(host: Host, name: str, port: str, alias: str = "") -> str:
    """Return how ssh looks up the key of a host by ssh_config's HostName, Port and HostKeyAlias.

    Return "" if that is how ngp's own known_hosts names it.
    """
    found = alias or (name if port == str(SSH_PORT) else f"[{name}]:{port}")
    return "" if found.lower() == address_pattern(host).lower() else found


def checks(known_hosts: Iterable[Path]) -> dict[str, str]:
    """Return the options that check host keys. ssh takes ``%`` for a token, and blanks for ends of names."""
    own = " ".join('"{}"'.format(str(path).replace("%", "%%")) for path in known_hosts)
    return {"GlobalKnownHostsFile": f"{' '.join(_GLOBAL)} {own}", "StrictHostKeyChecking": "yes"}


def proxy_option(command: Iterable[str]) -> str:
    """Return a command as the value of ProxyCommand."""
    return shlex.join(command).replace("%", "%%")
