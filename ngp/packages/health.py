"""The health check after each batch of a deploy: the units of the hosts must still answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.runs.readiness import Probe, Prober

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Platform
    from ngp.hosts.host import Host
    from ngp.settings import Settings


def collect(platform: Platform, hosts: Sequence[Host], reach: Callable[[str], Session | None]) -> list[Probe]:
    """Return the readiness checks of the units that hosts belong to; none of the sandbox, where no machine boots.

    `reach` gives the way to AWS of an environment. Hosts of hosts.yaml may be of environments that are not declared.
    """
    from ngp.environments import documents, resolving
    from ngp.environments.environment import Target
    from ngp.runs import readiness

    found: list[Probe] = []
    for name in sorted({host.environment for host in hosts} & {*documents.names(platform)}):
        resolved = resolving.resolve(platform, name)
        session = reach(name)
        units = {host.unit for host in hosts if host.environment == name} & {*resolved.environment.units}
        if resolved.environment.target is Target.AWS and session is not None and units:
            found += readiness.collect(resolved, session, tuple(sorted(units)))
    return found


@dataclass(frozen=True)
class BatchCheck:
    """The readiness checks of units of hosts, and the units without one. `platform` is None where nothing is asked."""

    platform: Platform | None
    probes: Sequence[Probe] = ()
    unchecked: Sequence[str] = ()


def prepare(platform: Platform | None, hosts: Sequence[Host], reach: Callable[[str], Session | None]) -> BatchCheck:
    """Return the check after each batch of a deploy to these hosts; `reach` as for `collect`."""
    probes = collect(platform, hosts, reach) if platform else []
    if platform is None or not probes:
        return BatchCheck(None)
    unchecked = {host.unit for host in hosts if host.unit} - {one.unit for one in probes}
    return BatchCheck(platform, probes, sorted(unchecked))


def check(found: BatchCheck, settings: Settings, stop: threading.Event) -> list[str]:
    """Ask until all are ready or their time is over; return those that are not, with their answers."""
    if found.platform is None:
        return []
    answers = Prober(found.platform.path, settings.environ, stop).probe_all(found.probes, lambda _: None)
    return [f"{one.unit}: {one.target} {one.says}" for one in answers if not one.is_ready]
