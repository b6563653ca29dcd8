"""Planned changes that lose data, or the quorum of a cluster. They need a consent by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ngp.catalogue import data_types
from ngp.catalogue.module import Manifest
from ngp.environments.resolving import Resolved
from ngp.errors import Finding, RefusedError
from ngp.terraform.plans import Action, Change

FLAG = "--accept-data-loss"
Changes = Mapping[str, Iterable[Change]]  # by the unit whose state holds the resource

_HARMLESS = frozenset({Action.NO_OP, Action.CREATE, Action.READ, Action.UPDATE})
_GOING = frozenset({Action.DELETE, Action.REPLACE})
_WORDS: Mapping[Action, str] = {
    Action.DELETE: "deleting {} would lose its data",
    Action.REPLACE: "replacing {} would lose its data",
    Action.FORGET: "forgetting {} would leave its data without an owner",
    Action.UNKNOWN: "ngp does not know what this plan does to {}",
}
_IN_MODULE = re.compile(r"module\.([^.]+)\.(.+)")
_GROUP = re.compile(r"\.aws_autoscaling_group\.")  # all members in one resource
_DEPOSED = re.compile(r" \(deposed object .*")
_INSTANCE = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')
_LAST_INSTANCE = re.compile(rf"{_INSTANCE.pattern}$")


def find(resolved: Resolved, changes: Changes, accepted: Collection[str]) -> list[Finding]:
    """Return the changes that delete, replace or forget a data-bearing resource, and those that affect several members
    of a quorum at once.

    A resource is data-bearing by its type or by its module's manifest. It counts anywhere in a state: also outside its
    unit's module, and in a module that is no longer a unit. `accepted` holds units and addresses.
    """
    found, members = [], dict[str, list[Change]]()
    for unit, change in _risky(changes):
        owner, inside = _locate(unit, change)
        manifest = _manifest(resolved, owner)
        if manifest and inside in manifest.quorum and change.action in _GOING:
            members.setdefault(owner, []).append(change)
        why = _why(manifest, owner, inside, change)
        if why and not _is_accepted(accepted, unit, change):
            todo = f"to agree to that: {FLAG} {unit}, or {FLAG} '{_plain(change)}' for this resource alone"
            found.append(Finding(_WORDS[change.action].format(change.address), why=why, todo=todo))
    for owner, going in members.items():
        is_accepted = all(_is_accepted(accepted, owner, change) for change in going)
        if not is_accepted and (len(going) > 1 or _GROUP.search(going[0].address)):
            found.append(_lost_quorum(resolved, owner, going))
    return found


def require_none(resolved: Resolved, changes: Changes, accepted: Collection[str]) -> None:
    """Raise RefusedError (3) with every loss of data without consent."""
    found = find(resolved, changes, accepted)
    if found:
        raise RefusedError(found)


def holds(resolved: Resolved | None, unit: str, change: Change) -> str:
    """Return why a resource is data-bearing, "" if it is not. Without an environment only its type decides."""
    owner, inside = _locate(unit, change)
    manifest = _manifest(resolved, owner) if resolved else None
    return _why(manifest, owner, inside, change) if change.mode == "managed" else ""


def _risky(changes: Changes) -> Iterator[tuple[str, Change]]:
    for unit, each in changes.items():
        for change in each:
            if change.mode == "managed" and change.action not in _HARMLESS:
                yield unit, change


def _why(manifest: Manifest | None, owner: str, inside: str, change: Change) -> str:
    """Return why a resource is data-bearing, "" if it is not."""
    if manifest and inside in manifest.data:
        return f"the module of `{owner}` marks it as data{_reasons(manifest, inside)}"
    holds = data_types.reason(change.type, change.before)
    return f"{change.type} holds {holds}{_reasons(manifest, inside)}" if holds else ""


def _lost_quorum(resolved: Resolved, unit: str, going: Sequence[Change]) -> Finding:
    _, inside = _locate(unit, going[0])
    why = f"the module of `{unit}` marks them as members of a quorum{_reasons(_manifest(resolved, unit), inside)}"
    agree = f"to accept losing them together: {FLAG} {unit}"
    is_rolling = any(change.action is Action.REPLACE for change in going)  # a destroy takes no -target
    todo = f"replace them one at a time with -target; {agree}" if is_rolling else agree
    what = f"{', '.join(change.address for change in going)} would be deleted or replaced at the same time"
    return Finding(what, why=why, todo=todo)


def _reasons(manifest: Manifest | None, inside: str) -> str:
    """Return the manifest's notes on the inputs whose change replaces or deletes a resource."""
    upgrades = manifest.upgrade.items() if manifest else ()
    notes = [f"`{name}`: {each.note}" for name, each in upgrades if inside in each.resources]
    return f"; possible causes: {' '.join(notes)}" if notes else ""


def _manifest(resolved: Resolved, owner: str) -> Manifest | None:
    """Return the manifest of a unit's module. A unit that is no longer declared may have the name of its module."""
    choice = resolved.environment.units.get(owner)
    module = resolved.catalogue.modules.get(choice.module if choice else owner)
    return module.manifest if module else None


def _locate(unit: str, change: Change) -> tuple[str, str]:
    """Return the unit whose module block contains a resource, and the address in that module without instance keys."""
    address = _INSTANCE.sub("", _plain(change))
    found = _IN_MODULE.fullmatch(address)
    return (found[1], found[2]) if found else (unit, address)


def _is_accepted(accepted: Collection[str], unit: str, change: Change) -> bool:
    """Whether a consent covers an address: a unit covers all its addresses, an address without key all instances."""
    owner, _ = _locate(unit, change)
    address = _plain(change)
    return not {unit, owner, address, _LAST_INSTANCE.sub("", address)}.isdisjoint(accepted)


def _plain(change: Change) -> str:
    return _DEPOSED.sub("", change.address)
