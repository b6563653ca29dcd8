"""Evaluates the modules' `validation` blocks before Terraform starts, if all their values are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ngp.cache import recall_each
from ngp.catalogue import facts
from ngp.catalogue.module import Catalogue, Module, Validation, Variable
from ngp.environments import binding, references
from ngp.environments.binding import Binding, UnitBindings, ValueSource
from ngp.environments.environment import Environment
from ngp.environments.values import Values
from ngp.errors import Finding

_KNOWN = frozenset({ValueSource.FACT, ValueSource.UNIT, ValueSource.COMMON, ValueSource.DEFAULT})
_FACT_KEYS = {"region": "region", "domain_name": "domain"}


@dataclass(frozen=True)
class _Subject:
    """A unit's inputs whose values are known, beside the conditions that they are to meet."""

    unit: str
    module: Module
    inputs: Mapping[str, Binding]
    known: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def content(self) -> bytes:
        """All that the answers depend on."""
        conditions = [
            (name, variable.type_text, [(each.condition, each.message_text) for each in variable.validations])
            for name, variable in self.module.variables.items()
        ]
        return json.dumps([conditions, facts.encode(dict(self.known))]).encode()


def check(
    environment: Environment, catalogue: Catalogue, values: Values, units: Mapping[str, UnitBindings], cache: Path
) -> list[Finding]:
    """Return failed conditions of the modules, each at the operator's line.

    Conditions that only Terraform can evaluate are skipped. `cache` is a folder for results (`ngp.cache`).
    """
    subjects = {name: _subject(unit, catalogue.modules[unit.module]) for name, unit in units.items()}
    contents = {name: subject.content for name, subject in subjects.items() if subject.known}
    broken = recall_each(
        cache,
        f"validations {environment.name}",
        contents,
        lambda names: {name: list(_broken(subjects[name])) for name in names},
    )
    findings = (
        _finding(subjects[unit], environment, values, name, index, message)
        for unit in contents
        for name, index, message in broken[unit]
    )
    return list({(each.what, each.where): each for each in findings}.values())  # a common value is refused once


def place(environment: Environment, values: Values, unit: str, name: str) -> str:
    """Return ``file:line`` of the operator's value of a unit's input; "" if there is none."""
    for written in (values.unit(unit), values.common):
        if name in written:
            return str(written[name].place)
    if name in environment.wiring.get(unit, {}):
        return environment.where(f"wiring.{unit}.{name}")
    if name in _FACT_KEYS:
        return environment.where(_FACT_KEYS[name])
    return {
        "unit": environment.where(f"units.{unit}"),
        "environment": str(environment.path),
        "project": str(environment.path.parent.parent / "ngp.yaml"),
    }.get(name, "")


def known(unit: UnitBindings, module: Module) -> dict[str, Any]:
    """Return the values of a unit's inputs that are known before Terraform starts."""
    return {
        name: variable.default if bound.source is ValueSource.DEFAULT else bound.value
        for name, variable in module.variables.items()
        if (bound := unit.inputs.get(name)) and _is_known(variable, bound, f"{unit.unit}.{name}")
    }


def _subject(unit: UnitBindings, module: Module) -> _Subject:
    return _Subject(unit.unit, module, unit.inputs, known(unit, module))


def _is_known(variable: Variable, bound: Binding, name: str) -> bool:
    if bound.source not in _KNOWN or variable.ephemeral or any(references.find(bound.value)):
        return False
    return bound.source is ValueSource.DEFAULT or not binding.check(variable, bound.value, name)


def _broken(subject: _Subject) -> Iterator[tuple[str, int, str]]:
    """The input, the number of its condition, and the message, for each condition that is not met."""
    from ngp.catalogue import evaluating
    from ngp.catalogue.operators import ExpressionError, UnknownError, to_bool

    scope = {"var": {name: _value(subject, name) for name in subject.module.variables}}
    for name, variable in subject.module.variables.items():
        for index, validation in enumerate(variable.validations):
            try:
                is_met = to_bool(evaluating.evaluate_text(validation.condition, scope))
            except (ExpressionError, UnknownError):
                continue
            if not is_met:
                yield name, index, _message(variable, validation, scope)


def _value(subject: _Subject, name: str) -> Any:
    from ngp.catalogue import conversion
    from ngp.catalogue.evaluating import UNSET
    from ngp.catalogue.operators import UnknownError

    if name not in subject.known:
        return UNSET
    variable, value = subject.module.variables[name], subject.known[name]
    if value is None and not variable.nullable:
        value = variable.default
    try:
        return conversion.convert(value, variable.type)
    except UnknownError:
        return UNSET


def _message(variable: Variable, validation: Validation, scope: Mapping[str, Any]) -> str:
    from ngp.catalogue import evaluating
    from ngp.catalogue.operators import ExpressionError, UnknownError

    if variable.sensitive:
        return validation.message
    try:
        return str(evaluating.evaluate_text(validation.message_text, scope))
    except (ExpressionError, UnknownError):
        return validation.message


def _finding(
    subject: _Subject, environment: Environment, values: Values, name: str, index: int, message: str
) -> Finding:
    variable = subject.module.variables[name]
    validation = variable.validations[index]
    names = [name, *(each for each in subject.module.variables if f"var.{each}" in validation.condition)]
    places = (place(environment, values, subject.unit, each) for each in names)
    where = next(filter(None, places), environment.where(f"units.{subject.unit}"))
    why = f"the rule is in {variable.place.path}:{validation.line}"
    is_shared = subject.inputs[name].source in {ValueSource.COMMON, ValueSource.FACT} and name != "unit"
    label = name if is_shared else f"{subject.unit}.{name}"
    return Finding(f"{label}{_shown(subject, variable)}: {message}", where, why)


def _shown(subject: _Subject, variable: Variable) -> str:
    from ngp.catalogue import hcl

    value = subject.known.get(variable.name)
    if variable.sensitive or variable.name not in subject.known or isinstance(value, list | dict):
        return ""
    text = hcl.render(value)
    return f" = {text}" if len(text) <= 60 else ""
