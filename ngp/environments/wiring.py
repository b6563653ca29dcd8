"""Wires inputs to outputs of other units: found once, stored, and checked from then on."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter

from ngp.catalogue.module import Catalogue, Module
from ngp.environments.choosing import IsFed
from ngp.environments.environment import Environment, OutputRef
from ngp.environments.values import FACTS
from ngp.errors import Finding, nearest

Wires = Mapping[str, Mapping[str, OutputRef]]
Outlets = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Ambiguity:
    """A required input that several units could feed."""

    unit: str
    input: str
    candidates: tuple[OutputRef, ...]


@dataclass(frozen=True)
class WiringResult:
    """All wires, existing ones first, and those that only the operator can decide."""

    wires: dict[str, dict[str, OutputRef]]
    ambiguities: tuple[Ambiguity, ...]


def find(units: Mapping[str, Module], existing: Wires, gone: Container[str], has_value: IsFed) -> WiringResult:
    """Wire each required input that has no wire to the only other unit with an output of its name.

    Existing wires stay, also wrong ones; only those from or to the units of `gone` go. `has_value` says of a unit's
    input that terraform.tfvars gives it, so that nobody needs to choose between several.
    """
    wires = {
        unit: {name: ref for name, ref in inputs.items() if ref.unit not in gone}
        for unit, inputs in existing.items()
        if unit not in gone
    }
    ambiguities, offered = [], outlets(units)
    for unit, module in units.items():
        own = wires.setdefault(unit, {})
        for name in module.manifest.requires:
            if name in own or name not in module.variables:
                continue
            candidates = feeders(offered, unit, name)
            if len(candidates) == 1:
                own[name] = candidates[0]
            elif candidates and not has_value(unit, name):
                ambiguities.append(Ambiguity(unit, name, candidates))
    return WiringResult({unit: inputs for unit, inputs in wires.items() if inputs}, tuple(ambiguities))


def outlets(units: Mapping[str, Module]) -> Outlets:
    """Return the units with a wirable output of each name; reads each output once."""
    found: dict[str, list[str]] = {}
    for unit, module in units.items():
        for output in module.outputs.values():
            if not output.sensitive and not output.ephemeral:
                found.setdefault(output.name, []).append(unit)
    return found


def feeders(offered: Outlets, unit: str, name: str) -> tuple[OutputRef, ...]:
    """Return the outputs of other units that can feed an input of this name."""
    return tuple(OutputRef(other, name) for other in offered.get(name, ()) if other != unit)


def check(environment: Environment, catalogue: Catalogue) -> list[Finding]:
    """Return the problems of the wires in environment.yaml."""
    modules = {
        name: catalogue.modules[choice.module]
        for name, choice in environment.units.items()
        if choice.module in catalogue.modules
    }
    return [finding for each in _wires(environment) for finding in _check(each, environment, modules)]


def check_cycles(environment: Environment, edges: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    """Return a cycle of units that feed each other, with its whole path."""
    sorter = TopologicalSorter(edges)
    try:
        sorter.prepare()
    except CycleError as error:
        path = list(reversed(error.args[1]))
        steps = [f"{user} needs {feeder}" for user, feeder in zip(path, path[1:], strict=False)]
        where = environment.where(f"wiring.{path[0]}")
        todo = "delete one of these wires"
        return [
            Finding(f"the units depend on each other in a cycle: {' → '.join(path)}", where, ", ".join(steps), todo)
        ]
    return []


def check_counts(environment: Environment, catalogue: Catalogue) -> list[Finding]:
    """Wires that make a `count` or `for_each` depend on what a preview may not know, so that it must be deferred.

    For the inputs that a manifest requires the catalogue's own rules hold; this is for what an operator wires beside
    them. It reads the modules' expressions, which costs a second for each: units that wire the same inputs share that.
    """
    from ngp.catalogue.rules import source
    from ngp.catalogue.rules import wiring as rules

    @cache
    def ask(name: str, inputs: tuple[str, ...]) -> list[Finding]:
        module = catalogue.modules[name]
        asked = replace(module, manifest=replace(module.manifest, requires=inputs))
        return [fault.finding for fault in rules.counts(source.load(asked))]

    findings = []
    for unit, wires in environment.wiring.items():
        module = catalogue.modules[environment.units[unit].module]
        others = tuple(name for name in wires if name not in module.manifest.requires)
        if others:
            where = environment.where(f"wiring.{unit}")
            faults = ask(module.name, others)
            findings += [replace(each, what=f"{where} wires `{unit}` so that {each.what}") for each in faults]
    return findings


@dataclass(frozen=True)
class _Wire:
    unit: str
    input: str
    ref: OutputRef


def _wires(environment: Environment) -> Iterator[_Wire]:
    for unit, inputs in environment.wiring.items():
        for name, ref in inputs.items():
            yield _Wire(unit, name, ref)


def _check(wire: _Wire, environment: Environment, modules: Mapping[str, Module]) -> Iterator[Finding]:
    where = environment.where(f"wiring.{wire.unit}.{wire.input}")
    text = f"`{wire.unit}.{wire.input}: {wire.ref}`"
    if wire.unit not in environment.units:
        todo = nearest(wire.unit, environment.units, "delete the wire, or add the unit")
        yield Finding(f"{text}: the unit `{wire.unit}` does not exist", where, todo=todo)
    elif module := modules.get(wire.unit):
        yield from _check_input(module, wire, text, where)
    if wire.ref.unit == wire.unit:
        yield Finding(f"{text} wires a unit to itself", where, "its outputs exist only after its apply")
    elif wire.ref.unit not in environment.units:
        others = environment.units.keys() - {wire.unit}
        yield Finding(f"{text} uses a unit that does not exist", where, todo=nearest(wire.ref.unit, others))
    elif feeder := modules.get(wire.ref.unit):
        yield from _check_output(feeder, wire, text, where)


def _check_input(module: Module, wire: _Wire, text: str, where: str) -> Iterator[Finding]:
    if wire.input in (*FACTS, "unit"):
        yield Finding(f"{text} wires a fact", where, "environment.yaml sets it", "delete the wire")
    elif wire.input not in module.variables:
        hint = nearest(wire.input, set(module.variables) - {*FACTS, "unit"})
        yield Finding(f"{text}: the module `{module.name}` has no variable `{wire.input}`", where, todo=hint)
    elif module.variables[wire.input].ephemeral:
        why = "an ephemeral input needs a secret reference"
        yield Finding(f"{text} feeds an ephemeral input", where, why)


def _check_output(module: Module, wire: _Wire, text: str, where: str) -> Iterator[Finding]:
    output = module.outputs.get(wire.ref.output)
    if output is None:
        hint = nearest(wire.ref.output, module.outputs)
        yield Finding(f"{text}: the module `{module.name}` has no output `{wire.ref.output}`", where, todo=hint)
    elif output.sensitive or output.ephemeral:
        kind = "a sensitive" if output.sensitive else "an ephemeral"
        why = f"it is declared so in {output.place}"
        yield Finding(f"{text} wires {kind} output", where, why, "wire the ARN of its secret instead")
