"""Warns of quorums in too few zones: the loss of one zone would stop the cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.cache import recall_each
from ngp.catalogue import facts, loading
from ngp.catalogue.module import Module
from ngp.environments import validations
from ngp.environments.resolving import Resolved
from ngp.errors import Finding

_ZONES = "az_count"  # the input of a network with its number of zones
_EXISTING = "existing_"  # prefix of the inputs about an existing network
_PLACING = {"aws_instance": "subnet_id", "aws_autoscaling_group": "vpc_zone_identifier"}
_SIZES = ("desired_capacity", "min_size")


@dataclass(frozen=True)
class _Quorum:
    """The members that a resource of a unit makes. `subnets` are the inputs that place them, `counts` say how many."""

    address: str
    members: int
    subnets: tuple[str, ...]
    counts: tuple[str, ...]


@dataclass(frozen=True)
class _Zones:
    """The largest number of zones for the members, the operator's line that limits it, and how to have more."""

    number: int
    where: str
    todo: str


def check(resolved: Resolved) -> list[Finding]:
    """Return a warning for each unit that loses its quorum with one zone, at the operator's line.

    Covers members with a known number, in given subnets or in those made by another unit's `az_count`.
    """
    names = [name for name, unit in resolved.bindings.items() if _module(resolved, unit.module).manifest.quorum]
    known = {name: _known(resolved, name) for name in names}
    contents = {name: _content(_module(resolved, resolved.bindings[name].module), known[name]) for name in names}

    def find(units: Any) -> dict[str, list[list[Any]]]:
        return {name: list(_members(_module(resolved, resolved.bindings[name].module), known[name])) for name in units}

    read_counts = recall_each(resolved.platform.cache, f"quorums {resolved.environment.name}", contents, find)
    return [
        finding
        for name in names
        for address, members, subnets, counts in read_counts[name]
        for finding in _findings(resolved, name, _Quorum(address, members, tuple(subnets), tuple(counts)))
    ]


def _module(resolved: Resolved, name: str) -> Module:
    return resolved.catalogue.modules[name]


def _known(resolved: Resolved, unit: str) -> dict[str, Any]:
    bound = resolved.bindings[unit]
    module = _module(resolved, bound.module)
    known = validations.known(bound, module)
    return {name: known[name] for name in known if not module.variables[name].sensitive}


def _content(module: Module, known: Mapping[str, Any]) -> bytes:
    """All that the members of a unit's quorum depend on."""
    files = [(path.name, path.read_text(encoding="utf-8")) for path in loading.terraform_files(module.path)]
    return json.dumps([files, module.manifest.quorum, facts.encode(dict(known))]).encode()


def _members(module: Module, known: Mapping[str, Any]) -> Iterator[list[Any]]:
    """The fields of a `_Quorum` for each resource of the manifest's `quorum` whose members can be counted."""
    from ngp.catalogue.constraints import instances
    from ngp.catalogue.rules import source

    read = source.load(module)
    var = instances.inputs(read, known)
    for block in read.of("resource"):
        placing = block.body.attributes.get(_PLACING.get(block.labels[0], ""))
        if source.address(block) not in module.manifest.quorum or placing is None:
            continue
        number = instances.number(read, block, var)
        sizes = [block.body.attributes[name] for name in ("count", "for_each") if name in block.body.attributes]
        if block.labels[0] == "aws_autoscaling_group":
            sizes = [block.body.attributes[name] for name in _SIZES if name in block.body.attributes]
            number = _size(instances.collect(read, block, var)) if number == 1 else None
        counts = sorted({name for each in sizes for name in read.inputs(each.code)})
        if number is not None:
            yield [source.address(block), number, sorted(read.inputs(placing.code)), counts]


def _size(groups: Iterator[list[Any]]) -> int | None:
    """The size of the one autoscaling group; None where only Terraform knows it."""
    sizes = {each.value.path: each.value.value for each in next(groups, []) if not each.value.partial}
    size = next((sizes[name] for name in _SIZES if sizes.get(name) is not None), None)
    return None if size is None else int(size)


def _findings(resolved: Resolved, unit: str, quorum: _Quorum) -> Iterator[Finding]:
    needed = next((zones for zones in range(1, quorum.members) if _survives(quorum.members, zones)), quorum.members)
    zones = next(filter(None, (_zones(resolved, unit, name, needed) for name in quorum.subnets)), None)
    if zones is None or zones.number >= quorum.members or _survives(quorum.members, zones.number):
        return
    places = [validations.place(resolved.environment, resolved.values, unit, name) for name in quorum.counts]
    where = next(filter(None, [zones.where, *places]), resolved.environment.where(f"units.{unit}"))
    stand = f"in {zones.number} zones" if zones.number > 1 else "in one zone"
    what = f"{unit}: the {quorum.members} members of a quorum ({quorum.address}) are {stand}"
    lost = _most(quorum.members, zones.number)
    why = f"{lost} of them are in one zone: if it fails, the quorum is lost, and nothing can be deployed or moved"
    yield Finding(what, where, why, zones.todo)


def _survives(members: int, zones: int) -> bool:
    """Whether more than half of the members are left without the zone that holds most of them."""
    return 2 * (members - _most(members, zones)) > members


def _most(members: int, zones: int) -> int:
    return -(-members // zones)


def _zones(resolved: Resolved, unit: str, name: str, needed: int) -> _Zones | None:
    """The zones of the subnets that an input of a unit takes; None where they are not known."""
    bound = resolved.bindings[unit].inputs.get(name)
    if bound is None or bound.wire is None:
        given = _known(resolved, unit).get(name)
        return _listed(resolved, unit, name, needed) if given else None
    feeder = bound.wire.unit
    if feeder not in resolved.bindings:
        return None
    known = _known(resolved, feeder)
    if known.get(f"{_EXISTING}{bound.wire.output}"):
        return _listed(resolved, feeder, f"{_EXISTING}{bound.wire.output}", needed)
    if known.get(f"{_EXISTING}vpc_id") or not known.get(_ZONES):
        return None
    where = validations.place(resolved.environment, resolved.values, feeder, _ZONES)
    return _Zones(int(known[_ZONES]), where, f"set {_ZONES} = {needed} for `{feeder}`, or use fewer members")


def _listed(resolved: Resolved, unit: str, name: str, needed: int) -> _Zones | None:
    """Subnets that somebody listed: in so many zones at most."""
    given = _known(resolved, unit)[name]
    if not isinstance(given, list | tuple):
        return None
    where = validations.place(resolved.environment, resolved.values, unit, name)
    return _Zones(len(given), where, f"list subnets of {needed} zones in {name} of `{unit}`, or use fewer members")
