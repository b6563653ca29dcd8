"""Protected environments: a deploy changes their hosts only after a yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ngp.environments.environment import Environment, Platform
    from ngp.hosts.host import Host


def collect(platform: Platform, hosts: Sequence[Host]) -> list[Environment]:
    """Return the protected environments that hosts belong to, by their names.

    ngp.yaml says which these are, here or on the remote's default branch; MissingError (69) if the remote does not
    answer. Hosts of hosts.yaml may be of environments that are not declared: nothing protects those.
    """
    from ngp.environments import documents
    from ngp.runs import protection

    names = sorted({host.environment for host in hosts} & {*documents.names(platform)})
    found = [documents.load(platform, name) for name in names]
    return [environment for environment in found if protection.is_protected(platform, environment)]
