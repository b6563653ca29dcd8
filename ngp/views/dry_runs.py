"""Shows what a command for hosts would do: on which hosts, and how ngp would connect to each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ngp.views import hosts as view
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.hosts.host import Host
    from ngp.settings import Settings

_COLUMNS = ("name", "address", "port", "user", "via", "batch")


def rows(batches: Sequence[Sequence[Host]], ways: Mapping[Host, str], user: str = "") -> list[dict[str, Any]]:
    """Return each host with its way and its batch, which counts from 1; `user` counts before that of a host."""
    return [
        {
            **{name: getattr(host, name) for name in ("name", "id", "environment", "address", "port")},
            "user": user or host.user,
            "via": ways[host],
            "batch": number,
        }
        for number, batch in enumerate(batches, 1)
        for host in batch
    ]


def executed(command: str, hosts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``ngp.host.dry-run/1`` for a command on `rows`."""
    return _document("exec", hosts, command=command)


def copied(paths: Sequence[str], hosts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``ngp.host.dry-run/1`` for a copy; paths on the hosts keep their colon."""
    return _document("copy", hosts, sources=list(paths[:-1]), target=paths[-1])


def show(document: Mapping[str, Any], settings: Settings) -> None:
    """Print what would happen on stderr, and a table of the hosts on stdout."""
    hosts, target = document["hosts"], document["target"]
    amount = terminal.amount(len(hosts), "host")
    if document["action"] == "exec":
        what = f"would run `{document['command']}` on {amount}"
    elif target.startswith(":"):
        what = f"would copy {shlex.join(document['sources'])} to {shlex.quote(target)} on {amount}"
    else:
        each = ", into a folder for each host" if len(hosts) > 1 else ""
        what = f"would copy {shlex.join(document['sources'])} from {amount} to {shlex.quote(target)}{each}"
    terminal.say(settings, f"dry run: ngp {terminal.cell(what)}")
    table(hosts, settings)


def table(hosts: Sequence[Mapping[str, Any]], settings: Settings) -> None:
    """Print a line for each of `rows`. A user of ``-`` is the one of your ssh_config."""
    lines = [[str(host[name]) or "-" for name in _COLUMNS] for host in hosts]
    view.table([_COLUMNS, *lines], terminal.out(settings))


def _document(action: str, hosts: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    given = {"command": "", "sources": [], "target": "", **more}
    return {"schema": "ngp.host.dry-run/1", "action": action, **given, "hosts": list(hosts)}
