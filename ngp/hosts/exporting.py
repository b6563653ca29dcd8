"""Hosts for other programs: an ssh_config, and an inventory of Ansible, that connect as ngp does."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ngp.errors import UsageError
from ngp.hosts import openssh, session_manager, user_config, ways
from ngp.hosts.host import SSH_PORT, Host
from ngp.hosts.selected import SelectedHosts
from ngp.hosts.trust import Trust

_COMMON = "ansible_ssh_common_args"
_TEMPLATE = re.compile(r"\{(?=[{%#])")  # a brace that begins a template of Jinja's


@dataclass(frozen=True)
class ExportedHost:
    """How ssh connects to a host: known_hosts files, the command that leads there, and lines of the user's ssh_config.

    `lines` has these lines by their option, such as ``ProxyJump``.
    """

    known_hosts: tuple[Path, ...]
    proxy: tuple[str, ...] = ()
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)


def require_way(via: str) -> None:
    """Raise UsageError (64) for a way that only ngp can go."""
    if via == "instance-connect":
        todo = "use `ngp host ssh --via instance-connect`"
        raise UsageError("an export cannot use `--via instance-connect`: its key is valid for one command", todo=todo)


def collect(selected: SelectedHosts, via: str, ssh_config: Path | None, cwd: Path) -> dict[Host, ExportedHost]:
    """Return how ssh connects to each running host, with the keys that somebody vouches for.

    `ssh_config` is read in place of the user's own.
    """
    reach, hosts = selected.reach, selected.running()
    found = ways.choose(selected, via, needs_programs=False)
    trust = reach.trust()
    trust.learn(hosts)
    reached = [host.address for host in hosts if openssh.valid(host)[0]]
    users = user_config.about(reached, ssh_config, reach.settings, cwd)
    entries = {}
    for host in hosts:
        lines = {name: some for name, some in users.get(host.address, {}).items() if _counts(name, found[host])}
        path = _write_alias(trust, host, lines)
        known = (trust.file(host.environment), *([path] if path else ()))
        session = reach.session(host.environment) if found[host] == "ssm" else None
        entries[host] = ExportedHost(known, session_manager.command(host, session) if session else (), lines)
    return entries


def _counts(option: str, way: str) -> bool:
    """Whether an option of ssh_config counts: Session Manager takes the place of jump hosts."""
    return way == "ssh" or not option.startswith("Proxy")


def _write_alias(trust: Trust, host: Host, lines: Mapping[str, Sequence[str]]) -> Path | None:
    """Write a host's keys under the name by which ssh looks them up, if these lines change that name."""
    words = {name: some[0].partition(" ")[2].strip('"') for name, some in lines.items()}
    port = str(host.port) if host.port != SSH_PORT else words.get("Port", str(SSH_PORT))
    name = openssh.key_name(host, words.get("HostName", host.address), port, words.get("HostKeyAlias", ""))
    return trust.write_alias(host, name) if name else None


def config(entries: Mapping[Host, ExportedHost]) -> str:
    """Return an ssh_config with an entry per host."""
    lines = []
    for host, alias in openssh.aliases(entries).items():
        address, user = openssh.valid(host)
        if not address:
            lines += [f"# {alias} is {host.state.value} and has no address", ""]
            continue
        entry = entries[host]
        # the user's HostName, for it leads to the host, but what the host's source says of all else
        options = {
            "HostName": "" if "HostName" in entry.lines else address,
            "User": user,
            "Port": str(host.port) if host.port != SSH_PORT else "",
        }
        options["ProxyCommand"] = openssh.proxy_option(entry.proxy) if entry.proxy else ""
        options |= openssh.checks(entry.known_hosts)
        own = {key: [f"{key} {value}"] for key, value in options.items() if value}
        lines += [f"Host {alias}", *(f"  {line}" for some in {**entry.lines, **own}.values() for line in some), ""]
    return "\n".join(lines)


def inventory(entries: Mapping[Host, ExportedHost]) -> dict[str, object]:
    """Return Ansible's inventory, for a file whose name ends with .json: a group per environment, cluster and unit.

    Ansible calls ssh with the address, so the user's ssh_config counts there. The options of ssh stand at the group of
    the environment, where group_vars override them, but for a host with options of its own.
    """
    groups: dict[str, dict[str, object]] = {}
    members: dict[str, object] = {}
    common: dict[str, object] = {}
    usual: dict[str, tuple[Path, ...]] = {}
    for host, alias in openssh.aliases(entries).items():
        entry = entries[host]
        address, user = openssh.valid(host)  # Ansible takes `{{ }}` in a value for a template
        port = host.port if host.port != SSH_PORT else 0
        group = _group("env", host.environment) if host.environment else ""
        known = usual.setdefault(group, entry.known_hosts[:1])
        is_usual = bool(group) and not entry.proxy and entry.known_hosts == known
        if is_usual:
            common[group] = _arguments(entry)
        own = "" if is_usual else _arguments(entry)
        options = {"ansible_host": address, "ansible_user": user, "ansible_port": port, _COMMON: own}
        members[alias] = {key: value for key, value in options.items() if value}
        for kind, name in (("env", host.environment), ("cluster", host.cluster), ("unit", host.unit)):
            if name:
                groups.setdefault(_group(kind, name), {})[alias] = {}
    children = {
        name: {"hosts": inside, **({"vars": {_COMMON: common[name]}} if name in common else {})}
        for name, inside in sorted(groups.items())
    }
    return {"all": {"hosts": members, "children": children}}


def _group(kind: str, name: str) -> str:
    return f"{kind}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"


def _arguments(entry: ExportedHost) -> str:
    """Return the options of ssh as Ansible splits them, without what it would take for a template."""
    options = openssh.checks(entry.known_hosts)
    if entry.proxy:
        options["ProxyCommand"] = openssh.proxy_option(entry.proxy)
    text = shlex.join(word for key, value in options.items() for word in ("-o", f"{key}={value}"))
    return _TEMPLATE.sub("{{ '{' }}", text)
