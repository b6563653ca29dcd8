"""Compares the inputs and outputs of two versions of a module."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from ngp.catalogue import types
from ngp.catalogue.module import Module, Output, Variable

T = TypeVar("T")


class InterfaceKind(Enum):
    INPUT = "input"
    OUTPUT = "output"


class ChangeKind(Enum):
    RENAMED = "renamed"
    REMOVED = "removed"
    RETYPED = "retyped"
    REQUIRED = "required"  # new without a default, or its default is gone
    NOT_NULLABLE = "not_nullable"
    SENSITIVE = "sensitive"
    EPHEMERAL = "ephemeral"
    ADDED = "added"
    RELAXED = "relaxed"  # optional, nullable or less secret than before, or of a wider type
    DEFAULT = "default"


OF_VALUES = frozenset({ChangeKind.RETYPED, ChangeKind.NOT_NULLABLE, ChangeKind.SENSITIVE, ChangeKind.EPHEMERAL})
OF_OUTPUTS = frozenset({ChangeKind.REMOVED, ChangeKind.RENAMED, ChangeKind.SENSITIVE, ChangeKind.EPHEMERAL})


@dataclass(frozen=True)
class InterfaceDifference:
    """One difference; `text` says it in words. `place` is that of the new declaration, else of the module.

    `before` and `after` are the types of an input or the kinds of an output's value where they are known, else "".
    """

    module: str
    kind: InterfaceKind
    name: str
    change: ChangeKind
    text: str
    place: str
    new_name: str = ""
    before: str = ""
    after: str = ""


def compare(before: Module, after: Module) -> tuple[InterfaceDifference, ...]:
    """Return the differences of the inputs, then of the outputs, by name in the order of the files."""
    inputs = _Side(after, InterfaceKind.INPUT, before.variables, after.variables, _input_renames(before, after))
    outputs = _Side(after, InterfaceKind.OUTPUT, before.outputs, after.outputs, _output_renames(before, after))
    return (
        *inputs.gone(),
        *(each for old, new in _both(before.variables, after.variables) for each in _input(after.name, old, new)),
        *(
            _added(after.name, new)
            for name, new in after.variables.items()
            if name not in before.variables and name not in inputs.renames.values()
        ),
        *outputs.gone(),
        *(each for old, new in _both(before.outputs, after.outputs) for each in _output(after.name, old, new)),
        *(
            _difference(after.name, new, ChangeKind.ADDED, "is new")
            for name, new in after.outputs.items()
            if name not in before.outputs and name not in outputs.renames.values()
        ),
    )


def accepts(wider: types.Type, narrower: types.Type) -> bool:
    """Whether Terraform converts every value of one type to another without loss."""
    match wider, narrower:
        case types.Anything(), _:
            return True
        case types.Primitive(name), types.Primitive(other):
            return name == other or name == "string"
        case types.Collection(kind, element), types.Collection(other, inner):
            return (kind == other or {kind, other} == {"list", "set"}) and accepts(element, inner)
        case types.Structure(attributes), types.Structure(others):
            return all(_has(each, others.get(name)) for name, each in attributes.items())
    return wider == narrower


def fits(shape: str, type_: types.Type) -> bool:
    """Whether an output of this kind ("" is unknown) can feed an input of the type."""
    match type_:
        case types.Collection("list" | "set") | types.Sequence():
            return shape in ("", "list")
        case types.Collection("map") | types.Structure():
            return shape in ("", "map")
        case types.Primitive("string"):
            return shape in ("", "string", "number")
        case types.Primitive():
            return shape in ("", "string", "number")
    return True


def shape(expression: str) -> str:
    """Return the kind of an expression, as far as its text shows: string, number, list, map, or "" for unknown."""
    text = expression.strip()
    for kind, pattern in _SHAPES.items():
        if pattern.match(text):
            return kind
    return ""


_REFERENCE = r"[A-Za-z_][\w.\-]*(\[[^\]*]*\][\w.\-]*)*"
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "list": re.compile(
        rf"\[|(tolist|toset|values|keys|concat|sort|distinct|compact|flatten|setunion|split)\(|{_REFERENCE}\[\*\]"
    ),
    "map": re.compile(r"\{|(tomap|merge|zipmap)\("),
    "number": re.compile(r"(length|max|min|tonumber|ceil|floor|sum)\(|-?\d[\d.]*\Z"),
    "string": re.compile(
        rf'"|(tostring|join|format|jsonencode|lower|upper|replace|trimspace|base64encode)\(|{_REFERENCE}\.(id|arn|name)\Z'
    ),
}


@dataclass(frozen=True)
class _Side:
    """The inputs or the outputs of both versions; `renames` says what a name that is gone is called now."""

    module: Module
    kind: InterfaceKind
    before: Mapping[str, Variable | Output]
    after: Mapping[str, Variable | Output]
    renames: Mapping[str, str]

    def gone(self) -> Iterator[InterfaceDifference]:
        for name in self.before:
            if name in self.after:
                continue
            if new := self.renames.get(name):
                text = f"the module `{self.module.name}` now calls this {self.kind.value} `{new}`"
                place = str(self.after[new].place)
                yield InterfaceDifference(self.module.name, self.kind, name, ChangeKind.RENAMED, text, place, new)
            else:
                text = f"the module `{self.module.name}` no longer has the {self.kind.value} `{name}`"
                yield InterfaceDifference(
                    self.module.name, self.kind, name, ChangeKind.REMOVED, text, str(self.module.path)
                )


def _both(before: Mapping[str, T], after: Mapping[str, T]) -> Iterator[tuple[T, T]]:
    return ((before[name], new) for name, new in after.items() if name in before)


def _input(module: str, old: Variable, new: Variable) -> Iterator[InterfaceDifference]:
    was, now = types.render(old.type), types.render(new.type)
    if was != now:
        change = ChangeKind.RELAXED if accepts(new.type, old.type) else ChangeKind.RETYPED
        found = _difference(module, new, change, f"is {now}, not {was}")
        yield replace(found, before=was, after=now)
    if old.has_default and not new.has_default:
        yield _difference(module, new, ChangeKind.REQUIRED, "no longer has a default")
    elif new.has_default and not old.has_default:
        yield _difference(module, new, ChangeKind.RELAXED, "now has a default")
    elif new.default != old.default:
        yield _difference(module, new, ChangeKind.DEFAULT, "has a new default")
    if old.nullable != new.nullable:
        change = ChangeKind.RELAXED if new.nullable else ChangeKind.NOT_NULLABLE
        yield _difference(module, new, change, f"may {'now be null' if new.nullable else 'no longer be null'}")
    yield from _secrecy(module, old, new)


def _output(module: str, old: Output, new: Output) -> Iterator[InterfaceDifference]:
    was, now = shape(old.expression), shape(new.expression)
    if was and now and was != now:
        found = _difference(module, new, ChangeKind.RETYPED, f"is a {now}, not a {was}")
        yield replace(found, before=was, after=now)
    yield from _secrecy(module, old, new)


def _secrecy(module: str, old: Variable | Output, new: Variable | Output) -> Iterator[InterfaceDifference]:
    for flag, change in (("sensitive", ChangeKind.SENSITIVE), ("ephemeral", ChangeKind.EPHEMERAL)):
        was, now = getattr(old, flag), getattr(new, flag)
        if was != now:
            what = f"is now {flag}" if now else f"is no longer {flag}"
            yield _difference(module, new, change if now else ChangeKind.RELAXED, what)


def _added(module: str, new: Variable) -> InterfaceDifference:
    change = ChangeKind.ADDED if new.has_default else ChangeKind.REQUIRED
    return _difference(module, new, change, "is new" + ("" if new.has_default else " and has no default"))


def _difference(module: str, new: Variable | Output, change: ChangeKind, what: str) -> InterfaceDifference:
    kind = InterfaceKind.INPUT if isinstance(new, Variable) else InterfaceKind.OUTPUT
    text = f"the {kind.value} `{new.name}` of the module `{module}` {what}"
    return InterfaceDifference(module, kind, new.name, change, text, str(new.place))


def _has(wanted: types.ObjectAttribute, given: types.ObjectAttribute | None) -> bool:
    if given is None:
        return wanted.optional
    return (wanted.optional or not given.optional) and accepts(wanted.type, given.type)


def _output_renames(before: Module, after: Module) -> dict[str, str]:
    """A removed output is called by another name where just one new output has its expression."""
    gone = {name: _squeezed(each) for name, each in before.outputs.items() if name not in after.outputs}
    new = {name: _squeezed(each) for name, each in after.outputs.items() if name not in before.outputs}
    return _unique(gone, new)


def _input_renames(before: Module, after: Module) -> dict[str, str]:
    """A removed input is called by another name where just one new input has its type and description, or its type."""
    gone = {name: each for name, each in before.variables.items() if name not in after.variables}
    new = {name: each for name, each in after.variables.items() if name not in before.variables}
    exact = _unique({name: _about(each) for name, each in gone.items()}, {n: _about(each) for n, each in new.items()})
    left = {name: types.render(each.type) for name, each in gone.items() if name not in exact}
    free = {name: types.render(each.type) for name, each in new.items() if name not in exact.values()}
    return {**exact, **_unique(left, free)}


def _about(variable: Variable) -> str:
    return f"{types.render(variable.type)} {variable.description or variable.name}"


def _squeezed(output: Output) -> str:
    return "".join(output.expression.split())


def _unique(gone: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The pairs of equal texts that each side has once."""
    found = {}
    for name, text in gone.items():
        same = [other for other, one in new.items() if one == text]
        if text and len(same) == 1 and [*gone.values()].count(text) == 1:
            found[name] = same[0]
    return found
