"""Values of the arguments of a module's resources, as far as they are known without Terraform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.catalogue import conversion, evaluating, hcl, literals, operators
from ngp.catalogue.constraints.accepting import ArgumentValue
from ngp.catalogue.evaluating import UNSET
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.rules import names
from ngp.catalogue.rules.source import ModuleSource
from ngp.errors import UsageError

_MANY = 12  # instances of one resource that are checked: more are equal
_META = frozenset({"count", "for_each", "depends_on", "provider", "lifecycle"})
_UNKNOWN = (UnknownError, ExpressionError, RecursionError)


@dataclass(frozen=True)
class Argument:
    """A value and the attribute that sets it."""

    value: ArgumentValue
    attribute: hcl.Attribute


def inputs(source: ModuleSource, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the module's inputs, converted: the given values, else defaults; unset if only Terraform knows them."""
    found = {}
    for name, variable in source.module.variables.items():
        value = given.get(name, variable.default if variable.has_default else UNSET)
        if value is None and not variable.nullable:
            value = variable.default if variable.has_default else UNSET
        try:
            found[name] = value if value is UNSET else conversion.convert(value, variable.type)
        except (UnknownError, ExpressionError):
            found[name] = UNSET
    return found


def collect(source: ModuleSource, block: hcl.Block, var: Mapping[str, Any]) -> Iterator[list[Argument]]:
    """Yield the known arguments of each instance of a resource. If their number is unknown, there is one."""
    for more in _instances(source, block, var):
        scope = names.scope(source, var=var, **more)
        yield list(_arguments(source, block.body, scope, "", more, var))


def number(source: ModuleSource, block: hcl.Block, var: Mapping[str, Any]) -> int | None:
    """Return how many instances a resource has; None if only Terraform knows."""
    scope = names.scope(source, var=var)
    count, each = (block.body.attributes.get(name) for name in ("count", "for_each"))
    if count:
        value = _value(count, scope)
        try:
            return None if value is UNSET or value is None else int(operators.to_number(value))
        except (ExpressionError, UnknownError):  # Terraform says so
            return None
    if each is None:
        return 1
    found = _value(each, scope)
    return len(found) if isinstance(found, list | Mapping) else None


def _instances(source: ModuleSource, block: hcl.Block, var: Mapping[str, Any]) -> list[dict[str, Any]]:
    scope = names.scope(source, var=var)
    count, each = (block.body.attributes.get(name) for name in ("count", "for_each"))
    if count:
        number = _value(count, scope)
        return [{"count": {"index": UNSET if number is UNSET else 0}}] if number != 0 else []
    if each is None:
        return [{}]
    found = _value(each, scope)
    if isinstance(found, list):
        pairs = [(item, item) for item in found]
    elif isinstance(found, Mapping):
        pairs = list(found.items())
    else:
        pairs = [(UNSET, UNSET)]
    return [{"each": {"key": key, "value": value}} for key, value in pairs[:_MANY]]


def _arguments(
    source: ModuleSource,
    body: hcl.Body,
    scope: Mapping[str, Any],
    path: str,
    more: Mapping[str, Any],
    var: Mapping[str, Any],
) -> Iterator[Argument]:
    for name, attribute in body.attributes.items():
        if name in _META:
            continue
        at = f"{path}.{name}" if path else name
        value = _value(attribute, scope)
        if _is_whole(value):
            yield Argument(ArgumentValue(at, value), attribute)
        else:
            yield from (Argument(ArgumentValue(at, each, partial=True), attribute) for each in _pieces(attribute))
    for block in body.blocks:
        if block.type == "dynamic":
            yield from _dynamic(source, block, scope, path, more, var)
        elif block.type not in _META:
            at = f"{path}.{block.type}" if path else block.type
            yield from _arguments(source, block.body, scope, at, more, var)


def _dynamic(
    source: ModuleSource,
    block: hcl.Block,
    scope: Mapping[str, Any],
    path: str,
    more: Mapping[str, Any],
    var: Mapping[str, Any],
) -> Iterator[Argument]:
    label = block.labels[0]
    each = block.body.attributes.get("for_each")
    found = _value(each, scope) if each else UNSET
    pairs: list[tuple[Any, Any]] = [(UNSET, UNSET)]
    if isinstance(found, list | Mapping):
        pairs = list(found.items()) if isinstance(found, Mapping) else [(item, item) for item in found]
    name = block.body.attributes.get("iterator")
    iterator = name.text if name else label
    for content in block.body.of("content"):
        for key, value in pairs[:_MANY]:
            inner = {**more, iterator: {"key": key, "value": value}}
            at = f"{path}.{label}" if path else label
            yield from _arguments(source, content.body, names.scope(source, var=var, **inner), at, inner, var)


def _value(attribute: hcl.Attribute, scope: Mapping[str, Any]) -> Any:
    try:
        return evaluating.evaluate(attribute, scope)
    except _UNKNOWN:
        return UNSET


def _is_whole(value: Any) -> bool:
    if isinstance(value, Mapping):
        return type(value) is dict and all(_is_whole(each) for each in value.values())
    if isinstance(value, list):
        return all(_is_whole(each) for each in value)
    return value is not UNSET


def _pieces(attribute: hcl.Attribute) -> Iterator[str]:
    """Return the literal pieces of a partly known text."""
    scanned = attribute.scanned
    node = literals.unwrap(attribute.node)
    template = scanned.templates.get(getattr(node.meta, "start_pos", -1))
    if template is None or template.is_heredoc:
        return
    start, end = template.inner
    for first, last in (*template.interpolations, (end, end)):
        try:
            text = literals.string(type(template)(start, first, (start, first), is_literal=True), scanned)
        except UsageError:
            text = ""
        if text:
            yield text
        start = last
