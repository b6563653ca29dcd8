"""terraform.tfvars.dummy: every variable of the catalogue with a harmless value and its comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.module import Catalogue, Module, Variable
from ngp.environments.values import COMMON_INPUTS, FACTS
from ngp.errors import Finding, require

FILE = "terraform.tfvars.dummy"

_FACTS = frozenset({*FACTS, "unit"})  # said by ngp.yaml and environment.yaml
_HEAD = (
    "Rendered by ngp from the catalogue; do not edit: change modules/NAME/NAME.dummy and run `ngp render`.",
    "Every variable of every module with a harmless value: copy what you need into environments/ENV/terraform.tfvars.",
    "What is commented out gets its value elsewhere.",
)


def render(catalogue: Catalogue) -> str:
    """Return the file's text: common inputs at top level, then one object for each module.

    Raises one UsageError that lists the variables with neither a dummy nor a default.
    """
    modules = catalogue.modules.values()
    require(_without_value(modules))
    groups = [_comment(_HEAD), *_common(modules), *(_object(module) for module in modules if _own(module))]
    return "\n\n".join(groups) + "\n"


def _common(modules: Iterable[Module]) -> Iterator[str]:
    yield _comment(["Common inputs: each reaches every unit that declares it."])
    for name in COMMON_INPUTS:
        declaring = [module for module in modules if name in module.variables]
        if declaring:
            # A module that does not require it sets it; a dummy is more informative than a default.
            declaring.sort(key=lambda module: (name in module.manifest.requires, name not in module.dummies))
            yield _entry(declaring[0], declaring[0].variables[name])


def _object(module: Module) -> str:
    entries = "\n\n".join(_entry(module, variable, 2) for variable in _own(module))
    return f"{_comment([module.manifest.title or module.name])}\n{module.name} = {{\n{entries}\n}}"


def _own(module: Module) -> list[Variable]:
    shared = {*COMMON_INPUTS, *_FACTS}
    return [variable for name, variable in module.variables.items() if name not in shared]


def _entry(module: Module, variable: Variable, indent: int = 0) -> str:
    """Return a variable with its comment; commented out if its value does not come from terraform.tfvars."""
    dummy = module.dummies.get(variable.name)
    says = dummy.comment if dummy and any(dummy.comment) else tuple(variable.description.splitlines())
    reason = _elsewhere(module, variable)
    text = f"{variable.name} = {hcl.render(_value(module, variable), indent)}"
    lead = " " * indent
    if reason:
        inner = hcl.render(_value(module, variable))
        return _comment([*says, f"({reason})", *f"{variable.name} = {inner}".splitlines()], lead)
    return f"{_comment(says, lead)}\n{lead}{text}" if says else f"{lead}{text}"


def _elsewhere(module: Module, variable: Variable) -> str:
    if variable.name in module.manifest.generated:
        return "generated when it is applied"
    if variable.name in module.manifest.requires:
        return "comes from another unit's output"
    return ""


def _value(module: Module, variable: Variable) -> Any:
    dummy = module.dummies.get(variable.name)
    if dummy:
        return dummy.value
    if not variable.has_default and variable.ephemeral:
        return f"env:{variable.name.upper()}"  # only a reference to a secret may be given
    return variable.default


def _without_value(modules: Iterable[Module]) -> Iterator[Finding]:
    for module in modules:
        for name, variable in module.variables.items():
            known = name in module.dummies or variable.has_default or variable.ephemeral or name in _FACTS
            if not known and not _elsewhere(module, variable):
                yield Finding(
                    f"`{name}` has neither a default nor a dummy",
                    str(variable.place),
                    todo=f"give it a harmless value in {module.path / f'{module.name}.dummy'}",
                )


def _comment(lines: Iterable[str], lead: str = "") -> str:
    return "\n".join(f"{lead}# {line}".rstrip() for line in lines)
