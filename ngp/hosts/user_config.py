"""What the user's ssh_config says about a host, read by ssh itself (``ssh -G``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import processes

if TYPE_CHECKING:
    from ngp.settings import Settings

Found = Mapping[str, tuple[str, ...]]  # the values of each option, by its name in lower case
_TIMEOUT_S = 10.0  # `Match exec` may run any program
_GRACE_S = 1.0
_AT_ONCE = 8
_NOBODY = "ngp-nobody.invalid"  # a name that only entries for every host match
_CARRIED = {
    "hostname": "HostName",
    "user": "User",
    "port": "Port",
    "hostkeyalias": "HostKeyAlias",
    "proxyjump": "ProxyJump",
    "proxycommand": "ProxyCommand",
    "identityfile": "IdentityFile",
    "certificatefile": "CertificateFile",
    "identitiesonly": "IdentitiesOnly",
    "identityagent": "IdentityAgent",
    "userknownhostsfile": "UserKnownHostsFile",
}
_VERBATIM = ("ProxyCommand", "IdentitiesOnly", "UserKnownHostsFile")  # the rest of the line counts, quotes and all
_UNSET = {"proxyjump": "none", "proxycommand": "none", "identityagent": "SSH_AUTH_SOCK"}  # says that there is none
_PROXIES = ("proxyjump", "proxycommand")


def load(argv: Sequence[str], settings: Settings, cwd: Path) -> Found:
    """Return the options that ssh would use for its command line `argv`; none if ssh is missing or refuses it."""
    asking = (argv[0], "-G", *argv[1:])
    request = processes.ProcessRequest(asking, cwd, settings.environ, timeout_s=_TIMEOUT_S, grace_s=_GRACE_S)
    try:
        done = processes.run(request)
    except OSError:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for line in done.stdout.splitlines() if done.exit_code == 0 else ():
        name, _, value = line.partition(" ")
        found[name] = (*found.get(name, ()), value)
    return found


def about(
    addresses: Iterable[str], config: Path | None, settings: Settings, cwd: Path
) -> dict[str, dict[str, list[str]]]:
    """Return what ssh_config says about each address and not about every host: lines of ssh_config by their option.

    An entry of another name for the host does not match ``Host 10.0.*``, so these lines must be repeated there.
    `config` is an ssh_config in place of the user's own.
    """
    names = list(dict.fromkeys(addresses))
    ssh = ("ssh", "-F", str(config)) if config else ("ssh",)
    usual = load((*ssh, _NOBODY), settings, cwd)
    if not usual:
        return {name: {} for name in names}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda name: load((*ssh, name), settings, cwd), names)
        return {name: _differences(name, usual, options) for name, options in zip(names, found, strict=True)}


def _differences(address: str, usual: Found, options: Found) -> dict[str, list[str]]:
    if not options:
        return {}
    usual = {**usual, "hostname": (address.lower(),)}
    return {
        _CARRIED[name]: [f"{_CARRIED[name]} {_quoted(_CARRIED[name], value)}" for value in values]
        for name in _CARRIED
        if (values := _values(name, usual, options)) != usual.get(name, ())
    }


def _values(name: str, usual: Found, options: Found) -> tuple[str, ...]:
    """Return the values of an option for an address, with a word for one that only other hosts have.

    ssh takes the first of ProxyJump and ProxyCommand, so one that is there needs no word for the other.
    """
    others = _PROXIES if name in _PROXIES else (name,)
    if any(options.get(other) for other in others):
        return options.get(name, usual.get(name, ()))
    unset = (_UNSET[name],) if name in _UNSET else usual.get(name, ())
    return unset if usual.get(name) else ()


def _quoted(word: str, value: str) -> str:
    has_blank = any(mark.isspace() for mark in value)
    return f'"{value}"' if has_blank and word not in _VERBATIM else value
