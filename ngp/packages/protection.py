"""Protected environments: a deploy to their hosts needs a confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngp.environments.environment import Environment, Platform
    from ngp.hosts.host import Host


def collect(platform: Platform, hosts: Sequence[Host]) -> dict[str, Environment | None]:
    """Return the protected environments that hosts belong to, by their names; None for one of hosts.yaml alone.

    ngp.yaml says which these are, here or on the remote's default branch; MissingError (69) if the remote does not
    answer.
    """
    from ngp.environments import documents
    from ngp.runs import protection
    from ngp.runs.bundle import rules

    declared, found = documents.names(platform), dict[str, "Environment | None"]()
    for name in sorted({host.environment for host in hosts}):
        environment = documents.load(platform, name) if name in declared else None
        if protection.is_protected(platform, environment) if environment else rules.is_protected(platform, name):
            found[name] = environment
    return found
