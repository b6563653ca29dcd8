"""Completes a choice of modules with the modules that they need, and finds conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ngp.catalogue.module import Catalogue, Manifest, Module
from ngp.errors import Finding

IsFed = Callable[[str, str], bool]  # unit, input


@dataclass(frozen=True)
class Closure:
    """A choice with everything that it needs: `units` by name, `added` has the reasons for the added ones."""

    units: dict[str, Module]
    added: dict[str, str]
    findings: tuple[Finding, ...]


def close(chosen: Mapping[str, str], catalogue: Catalogue, is_fed: IsFed = lambda _unit, _input: False) -> Closure:
    """Take the modules of `chosen` (unit → module) and pull in the only provider of each required input.

    `is_fed` says of a unit's input that it has a value or a wire, and so needs no provider. Unknown modules, several
    possible providers and conflicts are findings.
    """
    findings: list[Finding] = []
    units: dict[str, Module] = {}
    added: dict[str, str] = {}
    for unit, name in chosen.items():
        if name in catalogue.modules:
            units[unit] = catalogue.modules[name]
        else:
            findings += catalogue.missing(name)
    waiting = list(units)
    while waiting:
        unit = waiting.pop(0)
        for name in units[unit].manifest.requires:
            if is_fed(unit, name) or any(name in units[other].outputs for other in units if other != unit):
                continue
            providers = _providers(name, units[unit], catalogue)
            if len(providers) == 1 and providers[0].name not in units:
                units[providers[0].name] = providers[0]
                added[providers[0].name] = f"`{unit}` needs `{name}`"
                waiting.append(providers[0].name)
            elif len(providers) > 1:
                findings.append(_several(unit, name, providers))
    findings.extend(conflicts({unit: module.name for unit, module in units.items()}, catalogue))
    return Closure(units, added, tuple(findings))


def conflicts(units: Mapping[str, str], catalogue: Catalogue, where: str = "") -> Iterator[Finding]:
    """Return the pairs of chosen modules that conflict by their manifests, each once."""
    names = sorted({name for name in units.values() if name in catalogue.modules})  # what is not chosen is not read
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            reason = conflict(catalogue.modules[name], catalogue.modules[other])
            if reason:
                what = f"`{name}` and `{other}` cannot be used in one environment"
                yield Finding(what, where, reason, "choose one of the two")


def conflict(module: Module, other: Module) -> str:
    """Return why two modules conflict, "" if they do not; either manifest may say so."""
    return _reason(module.manifest, other) or _reason(other.manifest, module)


def _reason(manifest: Manifest, other: Module) -> str:
    return manifest.conflicts.get(other.name, "")


def _providers(name: str, user: Module, catalogue: Catalogue) -> list[Module]:
    return [each for each in catalogue.modules.values() if name in each.manifest.provides and each.name != user.name]


def _several(unit: str, name: str, providers: list[Module]) -> Finding:
    names = ", ".join(f"`{each.name}`" for each in providers)
    todo = f"choose one: {' or '.join(f'--module {each.name}' for each in providers)}"
    return Finding(f"`{unit}` needs `{name}`, which several modules provide: {names}", "", "", todo)
