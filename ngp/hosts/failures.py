"""The hosts on which the last command failed, for `--failed`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ngp import files
from ngp.errors import UsageError
from ngp.hosts.host import Host

_FILE = "failed.json"


def keep(folder: Path, hosts: Iterable[Host]) -> None:
    """Remember the hosts of the last command that failed; a disk that refuses costs `--failed` only."""
    with suppress(OSError):
        files.private_folder(folder)
        rows = [[host.environment, host.id] for host in hosts]
        files.write(folder / _FILE, json.dumps(rows), mode=0o600, durable=False)


def recall(folder: Path, hosts: Sequence[Host]) -> list[Host]:
    """Return those of `hosts` on which the last command failed. Raises UsageError (64) where there is none."""
    try:
        failed = {(str(environment), str(number)) for environment, number in json.loads((folder / _FILE).read_bytes())}
    except (OSError, ValueError, TypeError):
        failed = set()
    found = [host for host in hosts if (host.environment, host.id) in failed]
    if not found:
        raise UsageError("the last command did not fail on any of these hosts", todo="omit --failed")
    return found
