"""Which planned changes would lose data: what a manifest calls data-bearing is not taken away by a general yes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ngp.environments.resolving import Resolved
from ngp.errors import Finding, RefusedError
from ngp.terraform.plans import Action, Change

FLAG = "--accept-data-loss"
_LOSING = frozenset({Action.DELETE, Action.REPLACE})
_IN_UNIT = re.compile(r"module\.([^.\[]+)\.(.+)")
_INSTANCE = re.compile(r"\[[^\]]*\]| \(deposed object .*")


def find(resolved: Resolved, changes: Iterable[Change], accepted: Sequence[str]) -> list[Finding]:
    """The changes that delete or replace a data-bearing resource of a unit that is not `accepted`."""
    found = []
    for change in changes:
        unit = _unit_of(resolved, change) if change.action in _LOSING else ""
        if unit and unit not in accepted:
            found.append(
                Finding(
                    f"{change.action.value} of {change.address} would lose what it holds",
                    why=f"the module of `{unit}` calls it data-bearing",
                    todo=f"to agree to that loss: {FLAG} {unit}",
                )
            )
    return found


def require_none(resolved: Resolved, changes: Iterable[Change], accepted: Sequence[str]) -> None:
    """Raise RefusedError (3) with every loss that nobody has agreed to."""
    found = find(resolved, changes, accepted)
    if found:
        raise RefusedError(found)


def _unit_of(resolved: Resolved, change: Change) -> str:
    """The unit that a data-bearing resource belongs to, "" for any other resource."""
    inside = _IN_UNIT.fullmatch(_INSTANCE.sub("", change.address))
    choice = resolved.environment.units.get(inside.group(1)) if inside else None
    if inside is None or choice is None:
        return ""
    return choice.name if inside.group(2) in resolved.catalogue.modules[choice.module].manifest.data else ""
