"""Groups of shared options: a command takes one parameter, a dataclass whose fields are the options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar, cast, get_type_hints

R = TypeVar("R")


def grouped(command: Callable[..., R]) -> Callable[..., R]:
    """Return a command for Typer, which has no groups: the fields of the dataclass replace its parameter."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if name != "return" and is_dataclass(hint)}

    def run(**given: Any) -> R:
        for name, group in groups.items():
            given[name] = cast(Any, group)(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    shown = [each for one in signature(command).parameters.values() for each in _parameters(one, hints[one.name])]
    run.__name__, run.__doc__, run.__module__ = command.__name__, command.__doc__, command.__module__
    run.__annotations__ = {**{each.name: each.annotation for each in shown}, "return": hints.get("return")}
    cast(Any, run).__signature__ = Signature(shown)
    return run


def _parameters(parameter: Parameter, hint: Any) -> Iterator[Parameter]:
    """Yield what Typer sees of a parameter: itself, or the fields of its group."""
    if not is_dataclass(hint):
        yield Parameter(parameter.name, Parameter.KEYWORD_ONLY, default=parameter.default, annotation=hint)
        return
    hints = get_type_hints(hint, include_extras=True)
    for field in fields(hint):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=hints[field.name])


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default
