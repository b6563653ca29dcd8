"""Checks the values of a resource against AWS's constraints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from ngp.aws.models import ParameterLimits
from ngp.catalogue.constraints import documented, drifting, parameters, policies
from ngp.catalogue.constraints.parameters import Tables

REFUSED = "AWS would refuse it"
_OPEN = 20  # longer enumerations (instance types, runtimes) grow with AWS: a new word is not a wrong one
_MAPS = {"key": "tags{key}", "value": "tags{}"}
_SUFFIX = "0" * 26  # what the provider appends to a prefix
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Nd}": r"\d", r"\p{IsL}": r"\w"}


@dataclass(frozen=True)
class ArgumentValue:
    """A known value of the argument at `path`. If `partial`, only some of its characters are known."""

    path: str
    value: Any
    partial: bool = False


@dataclass(frozen=True)
class Refusal:
    """A value that AWS would refuse, or has the `effect` in words, with the rule and its source."""

    path: str
    value: Any
    rule: str
    source: str
    effect: str = REFUSED

    @property
    def is_certain(self) -> bool:
        """Whether it goes wrong in every account."""
        return self.effect != policies.RAISED

    def of(self, what: str) -> str:
        """The effect on a named argument."""
        return (
            f"{self.effect.removesuffix(' it')} {what}" if self.effect.endswith(" it") else f"{self.effect} with {what}"
        )


def refusals(
    type_: str, values: Sequence[ArgumentValue], tables: Tables, unchanged: Sequence[ArgumentValue] = ()
) -> Iterator[Refusal]:
    """Return what AWS would refuse of one resource; `values` has only the known ones.

    Those of `unchanged` are read only where a rule is about several arguments, one of which is in `values`.
    """
    for each in values:
        if each.value is None or each.value == "":
            continue  # the provider sends nothing
        for rule, source in documented.broken(type_, each.path, each.value, partial=each.partial):
            yield Refusal(each.path, each.value, rule, source)
        if not each.partial:
            for rule, source, effect in policies.broken(type_, each.path, each.value):
                yield Refusal(each.path, each.value, rule, source, effect or REFUSED)
            yield from _by_model(type_, each, tables)
    yield from _by_others(type_, values, unchanged)


def flatten(values: Any, path: str = "") -> Iterator[ArgumentValue]:
    """Return the leaves and lists of a resource's values in a plan (nested blocks are lists of objects)."""
    if isinstance(values, Mapping):
        if path:
            yield ArgumentValue(path, dict(values))
        for name, each in values.items():
            yield from flatten(each, f"{path}.{name}" if path else name)
    elif isinstance(values, list):
        if any(isinstance(each, Mapping) for each in values):
            for each in values:
                yield from flatten(each, path)
        else:
            yield ArgumentValue(path, values)
    else:
        yield ArgumentValue(path, values)


def _by_others(type_: str, values: Sequence[ArgumentValue], unchanged: Sequence[ArgumentValue]) -> Iterator[Refusal]:
    """Yield what rules about several arguments refuse, where one of them is new."""
    changed = {each.path: each.value for each in values if not each.partial}
    there = {each.path: each.value for each in unchanged if (type_, each.path) not in documented.FOLLOWS}
    known = there | changed
    if not changed.keys().isdisjoint(documented.combined(type_)):
        for path, rule, source in documented.contradictions(type_, known):
            yield Refusal(path, known[path], rule, source)
    if not changed.keys().isdisjoint(drifting.COMBINED):
        for path, rule, source in drifting.drifts(type_, known):
            yield Refusal(path, known[path], rule, source, effect="later plans would ask for an older version")


def _by_model(type_: str, each: ArgumentValue, tables: Tables) -> Iterator[Refusal]:
    path, value = each.path, each.value
    if path.rpartition(".")[2] == "name_prefix" and isinstance(value, str):
        path, value = path.removesuffix("_prefix"), value + _SUFFIX
    if "polic" in path and isinstance(value, str):
        value = policies.compact(value)
    if path == "tags" and isinstance(value, Mapping):
        yield from _tags(type_, value, tables)
        return
    for one in parameters.find(tables, type_, path):
        items = value if isinstance(value, list) and one.accepted.kind != "list" else [value]
        for item in items:
            rule = _broken(one.accepted, item)
            if rule:
                yield Refusal(each.path, each.value, rule, one.source)


def _tags(type_: str, tags: Mapping[str, Any], tables: Tables) -> Iterator[Refusal]:
    """Keys and values by the API's own patterns, which differ from service to service."""
    for name in ("key", "value"):
        for one in (*parameters.find(tables, type_, f"tags.{name}"), *parameters.find(tables, type_, _MAPS[name])):
            for text in tags if name == "key" else tags.values():
                rule = _broken(one.accepted, text) if text else ""
                if rule:
                    yield Refusal("tags", text, f"has a {name} that {rule}", one.source)


def _broken(accepted: ParameterLimits, value: Any) -> str:
    """The rule that a value breaks, "" for none."""
    if accepted.kind == "list":
        return _outside(accepted, len(value), "holds {} entries") if isinstance(value, list) else ""
    if isinstance(value, bool | list | Mapping):
        return ""
    if accepted.kind in {"integer", "long", "float", "double"}:
        number = _number(value)
        return "" if number is None else _outside(accepted, number, "is {}")
    if accepted.kind != "string":
        return ""
    text = str(value)
    if 0 < len(accepted.enum) <= _OPEN and text not in accepted.enum:
        return f"is one of {', '.join(accepted.enum)}"
    pattern = _compiled(accepted.pattern)
    if pattern and not pattern.fullmatch(text):
        return f"matches {accepted.pattern}"
    return _outside(accepted, len(text), "has {} characters")


def _outside(accepted: ParameterLimits, size: float, words: str) -> str:
    if accepted.least is not None and size < accepted.least:
        return words.format(f"at least {accepted.least:g}")
    if accepted.most is not None and size > accepted.most:
        return words.format(f"at most {accepted.most:g}")
    return ""


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | Decimal | str) else None
    except ValueError:
        return None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, where Python's dialect can say it."""
    for name, plain in _CLASSES.items():
        pattern = pattern.replace(name, plain)
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None
