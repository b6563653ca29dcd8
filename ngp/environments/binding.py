"""Binds the inputs of units: where the value of each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ngp.catalogue import types
from ngp.catalogue.module import Catalogue, Module, Variable
from ngp.environments import references, wiring
from ngp.environments.environment import Environment, OutputRef, Target
from ngp.environments.values import COMMON_INPUTS, FACTS, Values, WrittenValue
from ngp.errors import Finding, nearest

_FEEDERS = 8  # named in a finding; every one of a thousand units could feed each of them


class ValueSource(Enum):
    """Sources of values, in order of precedence."""

    FACT = "fact"
    UNIT = "unit"  # the unit's own object in terraform.tfvars
    COMMON = "common"  # top level of terraform.tfvars
    WIRE = "wire"
    GENERATED = "generated"  # an ephemeral secret that the rendered root makes
    SECRET = "secret"  # a reference, for an ephemeral or sensitive input
    DEFAULT = "default"


@dataclass(frozen=True)
class Binding:
    """A bound input. `value` for FACT, UNIT, COMMON and SECRET (the reference); `wire` for WIRE."""

    source: ValueSource
    value: Any = None
    wire: OutputRef | None = None


@dataclass(frozen=True)
class UnitBindings:
    """The bound inputs of a unit, by name; those with their default value are there as DEFAULT."""

    unit: str
    module: str
    inputs: Mapping[str, Binding]


@dataclass(frozen=True)
class Bound:
    """The bindings of all units, and all problems."""

    units: Mapping[str, UnitBindings]
    findings: tuple[Finding, ...]

    def edges(self) -> dict[str, tuple[str, ...]]:
        """For each unit the units whose outputs it uses, sorted."""
        return {
            name: tuple(sorted({each.wire.unit for each in unit.inputs.values() if each.wire}))
            for name, unit in self.units.items()
        }


def bind(environment: Environment, facts: Mapping[str, str], catalogue: Catalogue, values: Values) -> Bound:
    """Bind every input of every unit: facts, the unit's object, top level, wiring, generated, the default."""
    units: dict[str, UnitBindings] = {}
    findings: list[Finding] = []
    known = {each.name: each.module for each in environment.units.values()}
    outlets = wiring.outlets(
        {unit: catalogue.modules[name] for unit, name in known.items() if name in catalogue.modules}
    )
    for choice in environment.units.values():
        module = catalogue.modules.get(choice.module)
        if module is None:
            findings += catalogue.missing(choice.module, environment.where(f"units.{choice.name}"))
            continue
        binder = _Binder(choice.name, module, environment, values, outlets, findings)
        units[choice.name] = UnitBindings(choice.name, module.name, binder.bind({**facts, "unit": choice.name}))
    return Bound(units, tuple(dict.fromkeys(findings)))


def facts(project: str, environment: Environment) -> dict[str, str]:
    """Return the facts of ngp.yaml and environment.yaml for every unit (the caller adds `unit`, its name)."""
    return {
        "environment": environment.name,
        "region": environment.region,
        "project": project,
        "domain_name": environment.domain,
    }


@dataclass(frozen=True)
class _Binder:
    """Binds the inputs of one unit and notes what is wrong."""

    unit: str
    module: Module
    environment: Environment
    values: Values
    outlets: wiring.Outlets
    findings: list[Finding]

    def bind(self, facts: Mapping[str, str]) -> dict[str, Binding]:
        self._refuse_unknown()
        bound = {}
        for variable in self.module.variables.values():
            if variable.name in facts:
                bound[variable.name] = Binding(ValueSource.FACT, facts[variable.name])
            elif binding := self._written(variable) or self._given(variable):
                bound[variable.name] = binding
            else:
                self._note_unbound(variable)
        return bound

    def _written(self, variable: Variable) -> Binding | None:
        """What terraform.tfvars says; a value that is wrong is noted and bound all the same."""
        for source, written in (
            (ValueSource.UNIT, self.values.unit(self.unit)),
            (ValueSource.COMMON, self.values.common),
        ):
            if variable.name in written:
                found = written[variable.name]
                reasons = check(variable, found.value, f"{self.unit}.{variable.name}")
                self._note(reasons, found, variable)
                self._refuse_plain(variable, found)
                is_secret = variable.ephemeral or (variable.sensitive and references.is_reference(found.value))
                return Binding(ValueSource.SECRET if is_secret else source, found.value)
        return None

    def _refuse_plain(self, variable: Variable, written: WrittenValue) -> None:
        """Note a sensitive value in plain text, unless it is for a sandbox, which has nothing to protect."""
        is_plain = variable.sensitive and not variable.ephemeral and not references.is_reference(written.value)
        if is_plain and written.value and self.environment.target is Target.AWS:
            shell = f"{self.unit}_{variable.name}".replace("-", "_").upper()
            self.findings.append(
                Finding(
                    f"{self.unit}.{variable.name}: this value is sensitive and is written in plain text",
                    str(written.place),
                    f"this file and the rendered root are committed; `{variable.name}` is declared in {variable.place}",
                    f'write `{variable.name} = "env:{shell}"`, or another reference ({references.FORMS})',
                )
            )

    def _given(self, variable: Variable) -> Binding | None:
        wire = self.environment.wiring.get(self.unit, {}).get(variable.name)
        if wire:
            return Binding(ValueSource.WIRE, wire=wire)
        if variable.name in self.module.manifest.generated:
            return Binding(ValueSource.GENERATED)
        if variable.has_default and variable.name not in self.module.manifest.requires:
            return Binding(ValueSource.DEFAULT)
        return None

    def _refuse_unknown(self) -> None:
        known = [name for name in self.module.variables if name not in (*FACTS, "unit")]
        for name, value in self.values.unit(self.unit).items():
            if name in (*FACTS, "unit"):
                todo = "delete it here"
                self.findings.append(Finding(f"`{name}` is a fact", str(value.place), "environment.yaml sets it", todo))
            elif name not in self.module.variables:
                what = f"the module `{self.module.name}` has no variable `{name}`"
                self.findings.append(Finding(what, str(value.place), todo=nearest(name, known)))

    def _note(self, reasons: Iterable[str], value: WrittenValue, variable: Variable) -> None:
        why = f"`{variable.name}` is declared in {variable.place}"
        self.findings.extend(Finding(reason, str(value.place), why) for reason in reasons)

    def _note_unbound(self, variable: Variable) -> None:
        name = f"{self.unit}.{variable.name}"
        why = f"description: {variable.description}" if variable.description else ""
        path = self.values.path
        if variable.name in self.module.manifest.requires:
            todo = f"wire it: ngp configure {self.environment.name} --wire {name}=UNIT.OUTPUT, or write it into {path}"
            what = f"`{name}` has no value and no wire"
            feeders = self._feeders(variable)
            why = "; ".join(filter(None, (why, f"possible outputs: {feeders}" if feeders else "")))
        elif variable.name in COMMON_INPUTS:
            todo = f"write it at the top level of {path}: {variable.name} = …"
            if any(each.todo == todo for each in self.findings):
                return  # one value is for all units, so only the first one reports it
            what = f"`{variable.name}` has no value"
        else:
            todo = f"write it into {path}: {self.unit} = {{ {variable.name} = … }}"
            what = f"`{name}` has no value"
        self.findings.append(Finding(what, str(variable.place), why, todo))

    def _feeders(self, variable: Variable) -> str:
        first = self.outlets.get(variable.name, ())[: _FEEDERS + 2]  # one more than is shown, except the unit itself
        found = [f"`{ref}`" for ref in wiring.feeders({variable.name: first}, self.unit, variable.name)]
        return ", ".join([*found[:_FEEDERS], *(["…"] if len(found) > _FEEDERS else [])])


def check(variable: Variable, value: Any, name: str) -> list[str]:
    """Return why a written value is invalid for this input: its type, null, or a secret in the wrong place."""
    if references.is_reference(value) and (variable.ephemeral or variable.sensitive):
        return [f"{name}: {reason}" for reason in references.check(value)]
    if variable.ephemeral:
        return [f"{name}: write a reference to a secret ({references.FORMS}), never its value"]
    if value is None and not variable.nullable and not variable.has_default:
        return [f"{name}: null is not allowed for this input"]
    secrets = [
        f"{name}: the secret reference `{each}` is for ephemeral and sensitive inputs only, as their whole value; "
        "Terraform would treat it as plain text here"
        for each in references.find(value)
    ]
    return secrets + types.check(variable.type, value, name)


def accepts_text(type_: types.Type) -> bool:
    """Whether this type accepts a plain text."""
    return type_ in (types.STRING, types.ANY)
