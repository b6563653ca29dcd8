"""The hosts on which the last command failed, for `--failed`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files
from ngp.errors import UsageError
from ngp.hosts.host import Host

if TYPE_CHECKING:
    from ngp.hosts.remote import HostResult

_FILE = "failed.json"


def begin(folder: Path, hosts: Iterable[Host]) -> None:
    """Store the hosts of a command before it starts: if ngp is killed, nobody knows where the command succeeded."""
    _write(folder, hosts)


def keep(folder: Path, results: Iterable[HostResult]) -> None:
    """Store the hosts on which the last command failed; write errors only affect `--failed`."""
    _write(folder, (one.host for one in results if not one.is_good))


def _write(folder: Path, hosts: Iterable[Host]) -> None:
    with suppress(OSError):
        files.private_folder(folder)
        rows = [[host.environment, host.id] for host in hosts]
        files.write(folder / _FILE, json.dumps(rows), mode=0o600, durable=False)


def choose(folder: Path, hosts: Sequence[Host], *, only_failed: bool) -> Sequence[Host]:
    """Return all hosts, or those on which the last command failed. Raises UsageError (64) if there are none."""
    if not only_failed:
        return hosts
    try:
        failed = {(str(environment), str(number)) for environment, number in json.loads((folder / _FILE).read_bytes())}
    except (OSError, ValueError, TypeError):
        failed = set()
    found = [host for host in hosts if (host.environment, host.id) in failed]
    if not found:
        raise UsageError("the last command did not fail on any of these hosts", todo="omit --failed")
    return found
