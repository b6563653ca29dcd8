"""Output contracts: inputs and outputs of modules that differ from a commit, and the units that break.

Nothing starts Terraform, and what breaks needs no environment that resolves: a broken one is what this is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from ngp import yaml
from ngp.catalogue import loading
from ngp.catalogue.module import Module
from ngp.environments import binding, documents, references, revisions, tfvars
from ngp.environments.environment import Environment, Platform, Target
from ngp.environments.values import Values
from ngp.errors import Finding, UsageError, require
from ngp.review import interfaces
from ngp.review.baseline import Baseline
from ngp.review.interfaces import ChangeKind, InterfaceDifference, InterfaceKind
from ngp.review.origins import files


@dataclass(frozen=True)
class BrokenUnit:
    """A unit that a difference breaks; `finding` says where it uses what the module no longer provides."""

    environment: str
    unit: str
    module: str
    difference: InterfaceDifference
    finding: Finding


@dataclass(frozen=True)
class ContractReport:
    """The differences from `commit` in the modules that environments use, and the units that they break."""

    commit: str
    name: str  # how the commit was found, in words
    differences: tuple[InterfaceDifference, ...]
    broken: tuple[BrokenUnit, ...]

    @property
    def harmless(self) -> tuple[InterfaceDifference, ...]:
        """The differences that break nothing."""
        breaking = {each.difference for each in self.broken}
        return tuple(each for each in self.differences if each not in breaking)


def compare(platform: Platform, baseline: Baseline, names: Iterable[str] = ()) -> ContractReport:
    """Compare the modules of these environments (of all without names) with those of the commit of `baseline`.

    A unit counts with the module and the pinned catalogue that it had in the commit. New units have no contract yet.
    Raises UsageError for an environment.yaml or a terraform.tfvars that cannot be read.
    """
    environments = [*_environments(platform, baseline, tuple(names) or documents.names(platform))]
    found, known = list[BrokenUnit](), dict[tuple[Path, Path], tuple[InterfaceDifference, ...]]()
    for each in environments:
        for unit, (before, after) in each.pairs.items():
            key = (before.path, after.path)
            if key not in known:
                known[key] = interfaces.compare(before, after)
            for difference in known[key]:
                found += each.broken(unit, difference)
    differences = dict.fromkeys(difference for here in known.values() for difference in here)
    return ContractReport(baseline.commit, baseline.name, tuple(differences), tuple(dict.fromkeys(found)))


@dataclass(frozen=True)
class _Modules:
    """Reads modules, each once."""

    platform: Platform
    baseline: Baseline
    known: dict[Path, Module | None] = field(default_factory=dict)

    def load(self, folder: Path) -> Module | None:
        """The module in a folder; None for one that is not there or cannot be read, which others report."""
        if folder not in self.known:
            self.known[folder] = None
            with suppress(UsageError):
                self.known[folder] = loading.load_module(folder, self.platform.cache)
        return self.known[folder]

    @cached_property
    def changed(self) -> frozenset[str]:
        """The modules of the work tree that differ from the commit."""
        parts = (path.split("/") for path in self.baseline.changed)
        return frozenset(found[1] for found in parts if len(found) > 2 and found[0] == "modules")

    def before(self, environment: Environment) -> Path:
        """The folder of the modules that an environment of the commit uses."""
        ref = environment.catalogue or self.baseline.commit
        return revisions.catalogue_path(self.platform, replace(environment, catalogue=ref))


@dataclass(frozen=True)
class _Pairs:
    """An environment, its values, and the modules of its units before and now, where they may differ."""

    environment: Environment
    values: Values
    facts: Mapping[str, str]
    modules: Mapping[str, Module]
    pairs: Mapping[str, tuple[Module, Module]]

    def broken(self, unit: str, difference: InterfaceDifference) -> Iterator[BrokenUnit]:
        """What a difference of the unit's module breaks: the unit itself, or those that take its output."""
        is_input = difference.kind is InterfaceKind.INPUT
        found = [(unit, one) for one in self._input(unit, difference)] if is_input else self._output(unit, difference)
        name, units = self.environment.name, self.environment.units
        for user, finding in found:
            if user in units:
                named = replace(finding, what=f"{name}: {finding.what}")
                yield BrokenUnit(name, user, units[user].module, difference, named)

    def _input(self, unit: str, difference: InterfaceDifference) -> Iterator[Finding]:
        name, wire = difference.name, self.environment.wiring.get(unit, {}).get(difference.name)
        own, common = self.values.unit(unit).get(name), self.values.common.get(name)
        where = self.environment.where(f"wiring.{unit}.{name}")
        match difference.change:
            case ChangeKind.REMOVED | ChangeKind.RENAMED:
                todo = f"write `{difference.new_name}`" if difference.new_name else "delete it"
                if own:
                    yield _finding(difference, f"{unit}.{name} has a value", str(own.place), todo)
                if wire:
                    yield _finding(difference, f"{unit}.{name} is wired to {wire}", where, todo)
            case ChangeKind.REQUIRED if not self._is_given(unit, name):
                place = self.environment.where(f"units.{unit}")
                yield _finding(difference, f"{unit}.{name} has no value", place, f"give {unit}.{name} a value")
            case ChangeKind.EPHEMERAL if wire:
                yield _finding(difference, f"{unit}.{name} is wired to {wire}", where, "write a secret reference")
            case ChangeKind.RETYPED if wire and not (own or common):
                todo = "check that the output fits, or change the module"
                yield _finding(difference, f"{unit}.{name} is wired to {wire}", where, todo)
        written, variable = own or common, self.modules[unit].variables.get(name)
        if written and variable and difference.change in interfaces.OF_VALUES:
            reasons = binding.check(variable, written.value, f"{unit}.{name}")
            if variable.sensitive and not reasons and self._is_plain(written.value):
                reasons = [f"{unit}.{name} has a value in plain text"]
            yield from (_finding(difference, reason, str(written.place), "change the value") for reason in reasons)

    def _is_plain(self, value: object) -> bool:
        return self.environment.target is Target.AWS and bool(value) and not references.is_reference(value)

    def _is_given(self, unit: str, name: str) -> bool:
        given = (self.facts, self.values.unit(unit), self.values.common, self.environment.wiring.get(unit, {}))
        generated = self.modules[unit].manifest.generated
        return name == "unit" or any(name in each for each in (*given, generated))

    def _output(self, unit: str, difference: InterfaceDifference) -> Iterator[tuple[str, Finding]]:
        for user, wires in self.environment.wiring.items():
            for name, ref in wires.items():
                if ref.unit != unit or ref.output != difference.name or not self._breaks(user, name, difference):
                    continue
                todo = "wire another output, or keep this one in the module"
                if difference.new_name:
                    todo = f"write `{name}: {unit}.{difference.new_name}`"
                where = self.environment.where(f"wiring.{user}.{name}")
                yield user, _finding(difference, f"{user}.{name} is wired to {ref}", where, todo)

    def _breaks(self, user: str, name: str, difference: InterfaceDifference) -> bool:
        """Whether the user of an output that differs breaks; one of another shape may still fit the input."""
        if difference.change is not ChangeKind.RETYPED:
            return difference.change in interfaces.OF_OUTPUTS
        variable = self.modules[user].variables.get(name) if user in self.modules else None
        return variable is not None and not interfaces.fits(difference.after, variable.type)


def _environments(platform: Platform, baseline: Baseline, names: Iterable[str]) -> Iterator[_Pairs]:
    modules, wrong = _Modules(platform, baseline), list[Finding]()
    for name in names:
        try:
            now = documents.load(platform, name)
            values = tfvars.load(now.path / tfvars.FILE, platform.cache)
            before = _before(platform, baseline, now)
            if before is not None:
                yield _pairs(platform, modules, before, now, values)
        except UsageError as error:
            wrong += error.findings
    require(dict.fromkeys(wrong))


def _before(platform: Platform, baseline: Baseline, now: Environment) -> Environment | None:
    """Return the environment in the commit; None if it does not exist or cannot be read there."""
    path, _ = files(now.name)
    if path not in baseline.blobs:
        return None
    if path not in baseline.changed:
        return now
    try:
        return documents.read(platform, now.name, yaml.parse(baseline.before.get(path, ""), Path(path)))
    except UsageError:
        return None


def _pairs(platform: Platform, modules: _Modules, before: Environment, now: Environment, values: Values) -> _Pairs:
    is_same = before.catalogue == now.catalogue
    suspects = {
        unit: choice
        for unit, choice in now.units.items()
        if unit in before.units
        and (
            choice.module != before.units[unit].module
            or not is_same
            or (not now.catalogue and choice.module in modules.changed)
        )
    }
    facts = binding.facts(platform.name, now)
    if not suspects:
        return _Pairs(now, values, facts, {}, {})
    old, new = modules.before(before), revisions.catalogue_path(platform, now)
    here = {unit: modules.load(new / choice.module) for unit, choice in now.units.items()}
    there = {unit: modules.load(old / before.units[unit].module) for unit in suspects}
    pairs = {unit: (then, after) for unit, then in there.items() if then and (after := here[unit])}
    return _Pairs(now, values, facts, {unit: each for unit, each in here.items() if each}, pairs)


def _finding(difference: InterfaceDifference, what: str, where: str, todo: str) -> Finding:
    return Finding(f"{what}, but {difference.text}", where, f"see {difference.place}", todo)
