"""Describes what another version of a module changes for its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from ngp.catalogue import hcl, types
from ngp.catalogue.module import Variable
from ngp.catalogue.rules.source import ModuleSource, address

T = TypeVar("T")


def describe(old: ModuleSource, new: ModuleSource) -> Iterator[str]:
    """Yield one line for each difference, inputs first."""
    before, after = old.module, new.module
    yield from _emit("input", before.variables, after.variables, _variable)
    for name, variable in after.variables.items():
        if name not in before.variables and not variable.has_default:
            yield f"input `{name}` has no default: every environment must set it"
    yield from _emit("output", before.outputs, after.outputs, lambda output: "sensitive" if output.sensitive else "")
    yield from _emit("provider", before.required_providers, after.required_providers, lambda one: one.get("version"))
    yield from _emit("resource", _resources(old), _resources(new), str)


def _emit(kind: str, before: Mapping[str, T], after: Mapping[str, T], say: Callable[[T], object]) -> Iterator[str]:
    yield from (f"{kind} `{name}` is gone" for name in before if name not in after)
    yield from (f"{kind} `{name}` is new" for name in after if name not in before)
    for name, one in after.items():
        if name in before and say(before[name]) != say(one):
            yield f"{kind} `{name}`: {say(before[name]) or 'nothing'} → {say(one) or 'nothing'}"


def _variable(variable: Variable) -> str:
    default = " ".join(hcl.render(variable.default).split()) if variable.has_default else "required"
    marks = [word for word in ("sensitive", "ephemeral") if getattr(variable, word)]
    return ", ".join([types.render(variable.type), default, *marks])


def _resources(source: ModuleSource) -> dict[str, str]:
    return {address(block): "" for block in source.of("resource")}
