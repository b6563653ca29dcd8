"""Source of hosts: the platform's hosts.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ngp.environments import host_files
from ngp.hosts.host import Host, HostState


@dataclass(frozen=True)
class FileSource:
    """The hosts that a hosts.yaml in `folder` names; of one environment, or of all for ""."""

    folder: Path
    environment: str = ""

    def hosts(self) -> list[Host]:
        """Return the hosts. Raises UsageError (64) for a file that is wrong."""
        found = []
        for name, entry in host_files.load(self.folder).items():
            if self.environment not in ("", entry.environment):
                continue
            is_address = _is_address(entry.address)
            found.append(
                Host(
                    name=name,
                    id=name,
                    environment=entry.environment,
                    cluster=entry.cluster,
                    unit=entry.unit,
                    packages=tuple(entry.packages),
                    private_address=entry.address if is_address else "",
                    private_dns="" if is_address else entry.address,
                    user=entry.user,
                    port=entry.port,
                    tags=entry.tags,
                    state=HostState.UNKNOWN,
                    source="file",
                    host_keys=tuple(entry.host_keys),
                )
            )
        return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
