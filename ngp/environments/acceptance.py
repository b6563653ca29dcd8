"""Checks an environment's values against what AWS accepts, before Terraform starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.cache import recall_each
from ngp.catalogue import facts, loading
from ngp.catalogue.module import Module
from ngp.environments import validations
from ngp.environments.resolving import Resolved
from ngp.errors import Finding


@dataclass(frozen=True)
class _Unit:
    """A unit's module, and the inputs that are known and no secret."""

    name: str
    module: Module
    known: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """All that the answers depend on, beside this ngp and its libraries."""
        from ngp.aws import models

        files = [(path.name, path.read_text(encoding="utf-8")) for path in loading.terraform_files(self.module.path)]
        accepted = sorted(self.module.manifest.exceptions)
        return json.dumps([models.version(), files, facts.encode(dict(self.known)), accepted]).encode()


def check(resolved: Resolved) -> list[Finding]:
    """Return the values that AWS would refuse, after the units' modules have used them, but for what these accept.

    Each finding is at the operator's line if one of the values is the operator's, else at the module's.
    """
    return _findings(resolved, are_certain=True)


def doubts(resolved: Resolved) -> list[Finding]:
    """Return the values that AWS accepts only where the account's quota was raised."""
    return _findings(resolved, are_certain=False)


def _findings(resolved: Resolved, *, are_certain: bool) -> list[Finding]:
    units = {name: _unit(resolved, name) for name in resolved.bindings}
    contents = {name: unit.content for name, unit in units.items()}
    cache, title = resolved.platform.cache, f"acceptance {resolved.environment.name}"
    found = recall_each(
        cache, title, contents, lambda names: {name: list(_refused(units[name], cache)) for name in names}
    )
    each = [(name, is_certain, rest) for name in contents for is_certain, *rest in found[name]]
    return [_finding(resolved, name, *rest) for name, is_certain, rest in each if is_certain is are_certain]


def _unit(resolved: Resolved, name: str) -> _Unit:
    bound = resolved.bindings[name]
    module = resolved.catalogue.modules[bound.module]
    known = validations.known(bound, module)
    return _Unit(name, module, {name: known[name] for name in known if not module.variables[name].sensitive})


def _refused(unit: _Unit, cache: Path) -> Iterator[tuple[bool, str, str, str, Sequence[str]]]:
    """Whether it is certain, what, why, the place in the module, and the inputs that the argument takes."""
    from ngp.catalogue.constraints import modules, parameters
    from ngp.catalogue.rules import source

    read = source.load(unit.module)
    for each in modules.check(read, unit.known, parameters.load(cache)):
        if f"{modules.RULE} {source.address(each.block)}" in unit.module.manifest.exceptions:
            continue
        attribute = each.attribute
        where = attribute.where if attribute else each.block.where
        inputs = sorted(read.inputs(attribute.code)) if attribute else []
        yield each.refusal.is_certain, each.what, each.why, where, inputs


def _finding(resolved: Resolved, unit: str, what: str, why: str, where: str, inputs: Sequence[str]) -> Finding:
    places = (validations.place(resolved.environment, resolved.values, unit, name) for name in inputs)
    return Finding(f"{unit}: {what}", next(filter(None, places), where), why)
