"""Which planned changes would lose data, or the quorum of a cluster: no general yes takes that away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ngp.catalogue.module import Manifest
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, RefusedError
from ngp.terraform.plans import Action, Change

FLAG = "--accept-data-loss"
_LOSING = frozenset({Action.DELETE, Action.REPLACE})
_IN_UNIT = re.compile(r"module\.([^.\[]+)\.(.+)")
_GROUP = re.compile(r"\.aws_autoscaling_group\.")  # one resource, all members
_INSTANCE = re.compile(r"\[[^\]]*\]| \(deposed object .*")


def find(resolved: Resolved, changes: Iterable[Change], accepted: Sequence[str]) -> list[Finding]:
    """The changes that delete or replace a data-bearing resource of a unit that is not `accepted`, and those that take
    several members of its quorum at once."""
    found, members = [], dict[str, list[str]]()
    for change in changes:
        unit, inside = _inside(resolved, change) if change.action in _LOSING else ("", "")
        if not unit or unit in accepted:
            continue
        manifest = _manifest(resolved, unit)
        if inside in manifest.data:
            what = f"{change.action.value} of {change.address} would lose what it holds"
            why = f"the module of `{unit}` calls it data-bearing{_reasons(manifest, inside)}"
            found.append(Finding(what, why=why, todo=f"to agree to that loss: {FLAG} {unit}"))
        if inside in manifest.quorum:
            members.setdefault(unit, []).append(change.address)
    for unit, addresses in members.items():
        if len(addresses) > 1 or _GROUP.search(addresses[0]):
            found.append(_lost_quorum(resolved, unit, addresses))
    return found


def require_none(resolved: Resolved, changes: Iterable[Change], accepted: Sequence[str]) -> None:
    """Raise RefusedError (3) with every loss that nobody has agreed to."""
    found = find(resolved, changes, accepted)
    if found:
        raise RefusedError(found)


def _lost_quorum(resolved: Resolved, unit: str, addresses: Sequence[str]) -> Finding:
    inside = _INSTANCE.sub("", addresses[0]).split(".", 2)[2]
    why = f"the module of `{unit}` calls them members of a quorum{_reasons(_manifest(resolved, unit), inside)}"
    todo = f"take one at a time with -target, or, to agree to that loss: {FLAG} {unit}"
    return Finding(f"{', '.join(addresses)} would go at once", why=why, todo=todo)


def _reasons(manifest: Manifest, inside: str) -> str:
    """What the manifest says of the inputs whose change replaces a resource or takes it away."""
    said = [f"`{name}`: {each.note}" for name, each in manifest.upgrade.items() if inside in each.resources]
    return f"; what can do it: {' '.join(said)}" if said else ""


def _manifest(resolved: Resolved, unit: str) -> Manifest:
    return resolved.catalogue.modules[resolved.environment.units[unit].module].manifest


def _inside(resolved: Resolved, change: Change) -> tuple[str, str]:
    """The unit that a resource belongs to and its address in the unit's module; two times "" for any other."""
    found = _IN_UNIT.fullmatch(_INSTANCE.sub("", change.address))
    return (found[1], found[2]) if found and found[1] in resolved.environment.units else ("", "")
