"""A Terraform root as a value: its module blocks, variables, outputs and generated secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.module import Generated, Module, Output, Variable
from ngp.environments.binding import Binding, UnitBindings, ValueSource

Pairs = tuple[tuple[str, str], ...]  # argument name → HCL expression

_VALUES = frozenset(
    {ValueSource.FACT, ValueSource.UNIT, ValueSource.COMMON}
)  # what may stand in values.auto.tfvars.json
_AWS = "hashicorp/aws"


@dataclass(frozen=True)
class Named:
    """A block with one label: a variable, an output, an ephemeral secret."""

    name: str
    settings: Pairs


@dataclass(frozen=True)
class ModuleCall:
    """One ``module "UNIT"`` block; `source` is relative to the root."""

    unit: str
    source: str
    arguments: Pairs


@dataclass(frozen=True)
class RenderedRoot:
    """A root without its backend and provider settings.

    `sources` are those of its providers as modules write them: ``hashicorp/aws``.
    """

    required_version: str
    providers: Mapping[str, Pairs]
    sources: frozenset[str]
    calls: tuple[ModuleCall, ...]
    variables: tuple[Named, ...]
    outputs: tuple[Named, ...]
    secrets: tuple[Named, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class RootPart:
    """The part of one unit in its root. `prefix` is "" in the unit's own root, else ``UNIT__``.

    `beside` are the other units of the same root, whose outputs are wired directly; those of others come by variables.
    """

    unit: UnitBindings
    module: Module
    source: PurePosixPath
    prefix: str = ""
    beside: frozenset[str] = frozenset()

    def is_wired_inside(self, binding: Binding) -> bool:
        """Whether an input uses the output of a unit in the same root."""
        return binding.source is ValueSource.WIRE and binding.wire is not None and binding.wire.unit in self.beside


def compose(parts: Iterable[RootPart], required_version: str) -> RenderedRoot:
    """Return the root of one unit, or of several that are wired to each other inside it."""
    units = tuple(parts)
    sources, constraints = _providers(part.module for part in units)
    return RenderedRoot(
        required_version=required_version,
        providers={name: _provider(sources[name], constraints[name]) for name in sorted(sources)},
        sources=frozenset(sources.values()),
        calls=tuple(_call(part) for part in units),
        variables=tuple(_variable(part, name) for part in units for name in _asked(part)),
        outputs=tuple(
            _output(part, output) for part in units for output in part.module.outputs.values() if not output.ephemeral
        ),
        secrets=tuple(
            _secret(part.prefix + name, part.module.manifest.generated.get(name, Generated()))
            for part in units
            for name, binding in _bound(part)
            if binding.source is ValueSource.GENERATED
        ),
        values={
            part.prefix + name: binding.value
            for part in units
            for name, binding in _bound(part)
            if binding.source in _VALUES
        },
    )


def _bound(part: RootPart) -> list[tuple[str, Binding]]:
    """Return the inputs that get a value, in the order of the module's file."""
    inputs = part.unit.inputs
    named = [name for name in part.module.variables if name in inputs]
    return [(name, inputs[name]) for name in named if inputs[name].source is not ValueSource.DEFAULT]


def _asked(part: RootPart) -> list[str]:
    """Return the inputs that become variables of the root, because their values come from outside."""
    return [
        name
        for name, binding in _bound(part)
        if binding.source is not ValueSource.GENERATED and not part.is_wired_inside(binding)
    ]


def _call(part: RootPart) -> ModuleCall:
    arguments = tuple((name, _argument(part, name, binding)) for name, binding in _bound(part))
    return ModuleCall(part.unit.unit, str(part.source), arguments)


def _argument(part: RootPart, name: str, binding: Binding) -> str:
    if binding.source is ValueSource.GENERATED:
        return f"ephemeral.aws_secretsmanager_random_password.{part.prefix}{name}.random_password"
    if binding.wire is not None and part.is_wired_inside(binding):
        return f"module.{binding.wire.unit}.{binding.wire.output}"
    return f"var.{part.prefix}{name}"


def _variable(part: RootPart, name: str) -> Named:
    variable = part.module.variables[name]
    return Named(part.prefix + name, (*_described(variable), ("type", variable.type_text), *_flags(variable)))


def _flags(variable: Variable) -> Pairs:
    """Return the flags of a variable. It is nullable if the module has a default, which null then means in
    Terraform."""
    is_never_null = not variable.nullable and not variable.has_default
    flags = {"sensitive": variable.sensitive, "ephemeral": variable.ephemeral}
    return (
        *((name, "true") for name, is_set in flags.items() if is_set),
        *((("nullable", "false"),) if is_never_null else ()),
    )


def _output(part: RootPart, output: Output) -> Named:
    value = (("value", f"module.{part.unit.unit}.{output.name}"),)
    sensitive = (("sensitive", "true"),) if output.sensitive else ()
    return Named(part.prefix + output.name, (*_described(output), *value, *sensitive))


def _described(thing: Variable | Output) -> Pairs:
    return (("description", hcl.render(thing.description)),) if thing.description else ()


def _secret(name: str, how: Generated) -> Named:
    excluded = (("exclude_characters", hcl.render(how.exclude_characters)),) if how.exclude_characters else ()
    return Named(name, (("password_length", hcl.render(how.length)), *excluded))


def _providers(modules: Iterable[Module]) -> tuple[dict[str, str], dict[str, dict[str, None]]]:
    """Return the source of each provider of the modules, and all constraints on it.

    AWS is always included: its block in the root contains the account guard, even if no module uses it.
    """
    sources: dict[str, str] = {"aws": _AWS}
    constraints: dict[str, dict[str, None]] = {"aws": {}}  # a set that keeps the modules' order
    for module in modules:
        for name, wanted in module.required_providers.items():
            sources.setdefault(name, wanted.get("source", f"hashicorp/{name}"))
            parts = (part.strip() for part in wanted.get("version", "").split(","))
            constraints.setdefault(name, {}).update((part, None) for part in parts if part)
    return sources, constraints


def _provider(source: str, constraints: Iterable[str]) -> Pairs:
    version = ", ".join(constraints)
    return (("source", hcl.render(source)), *((("version", hcl.render(version)),) if version else ()))
