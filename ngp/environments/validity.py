"""Further problems of resolved environments: errors that AWS would report, and warnings."""

from __future__ import annotations

from collections.abc import Iterable

from ngp.environments import acceptance, quorums, wiring
from ngp.environments.resolving import Resolved
from ngp.errors import Finding


def faults(resolved: Iterable[Resolved]) -> list[Finding]:
    """Return values and wires that cannot work."""
    each = tuple(resolved)
    counts = [found for one in each for found in wiring.check_counts(one.environment, one.catalogue)]
    return counts + [found for one in each for found in acceptance.check(one)]


def warnings(resolved: Iterable[Resolved]) -> list[Finding]:
    """Return findings that work but deserve attention."""
    return [found for one in resolved for check in (quorums.check, acceptance.doubts) for found in check(one)]
