"""The inventory: hosts of one or several sources, in a stable order, cached for a few seconds."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ngp import files
from ngp.hosts import host as values
from ngp.hosts.host import Host

KEPT_S = 20.0
_FORM = 1  # of what is kept


class HostSource(Protocol):
    """A source of hosts. `tests/unit/hosts/test_host_sources.py` tests all sources by the same rules."""

    def hosts(self) -> list[Host]:
        """Return all hosts of the source, in any order."""


@dataclass(frozen=True)
class Cache:
    """Hosts cached in a private folder, by account, region and environment."""

    folder: Path
    max_age_s: float = KEPT_S
    clock: Callable[[], float] = time.time

    def recall(self, key: str, find: Callable[[], list[Host]]) -> list[Host]:
        """Return the cached hosts if they are recent, else those of `find`, which are then cached."""
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
        kept = self._load(path, key)
        if kept is not None:
            return kept
        found = find()
        entry = {"form": _FORM, "key": key, "time": self.clock(), "hosts": [values.to_data(one) for one in found]}
        with suppress(OSError):  # a disk that refuses costs time only
            files.private_folder(self.folder)
            files.write(path, json.dumps(entry), mode=0o600, durable=False)
        return found

    def _load(self, path: Path, key: str) -> list[Host] | None:
        try:
            entry = json.loads(path.read_bytes())
            age = self.clock() - entry["time"]
            if entry["form"] != _FORM or entry["key"] != key or not 0 <= age < self.max_age_s:
                return None
            return [values.from_data(one) for one in entry["hosts"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None


def collect(sources: Iterable[HostSource]) -> list[Host]:
    """Return the hosts of all sources in a stable order; for a host of two sources, the first one's."""
    found: dict[tuple[str, str], Host] = {}
    for source in sources:
        for host in source.hosts():
            found.setdefault((host.environment, host.id), host)
    return sorted(found.values(), key=values.order)
