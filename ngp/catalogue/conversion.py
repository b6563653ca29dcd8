"""Converts values to Terraform's types, as Terraform does before it evaluates anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ngp.catalogue import functions, hcl, operators
from ngp.catalogue.operators import ExpressionError, UnknownError
from ngp.catalogue.types import Anything, Collection, ObjectAttribute, Primitive, Structure, Type
from ngp.errors import UsageError


def convert(value: Any, type_: Type) -> Any:
    """Return `value` as a value of `type_`; it must be one that `types.check` accepts.

    Raises UnknownError where only Terraform can tell what becomes of it.
    """
    try:
        return _convert(value, type_)
    except ExpressionError as error:
        raise UnknownError(str(error)) from None


def _convert(value: Any, type_: Type) -> Any:
    if value is None or isinstance(type_, Anything):
        return value
    if isinstance(type_, Primitive):
        return {"string": operators.to_string, "number": operators.to_number, "bool": operators.to_bool}[type_.name](
            value
        )
    if isinstance(type_, Collection):
        return _collection(value, type_)
    if isinstance(type_, Structure):
        if not isinstance(value, Mapping):
            raise UnknownError("an object of something else")
        return {name: _attribute(value.get(name), attribute) for name, attribute in type_.attributes.items()}
    return [_convert(item, each) for item, each in zip(value, type_.elements, strict=True)]


def _collection(value: Any, type_: Collection) -> Any:
    if type_.kind == "map":
        items = value.items() if isinstance(value, Mapping) else ()
        return _uniform({key: _convert(item, type_.element) for key, item in items}, type_)
    if not isinstance(value, list):
        raise UnknownError("a list of something else")
    found = _uniform([_convert(item, type_.element) for item in value], type_)
    if type_.kind == "set":
        if any(isinstance(item, list | dict | None) for item in found):
            raise UnknownError("a set of collections")
        return functions.call("toset", [found])
    return found


def _uniform(found: Any, type_: Collection) -> Any:
    """Refuse elements of several types where `any` is to become the one that fits all."""
    items = found.values() if isinstance(found, dict) else found
    if isinstance(type_.element, Anything) and len({repr(functions.kinds(item)) for item in items}) > 1:
        raise UnknownError("elements of several types")
    return found


def _attribute(value: Any, attribute: ObjectAttribute) -> Any:
    if value is None and attribute.default:
        try:
            body = hcl.parse(f"x = {attribute.default}\n", Path("default"))
            value = hcl.literal(body.attributes["x"])
        except UsageError as error:
            raise UnknownError(str(error)) from None
    return _convert(value, attribute.type)
