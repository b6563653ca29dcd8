"""Building blocks of the JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

Schema = dict[str, Any]
ANY: Schema = {}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number", "minimum": 0}


def optional(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(schema: Schema) -> Schema:
    """Return the schema of an array of such values."""
    return {"type": "array", "items": schema}


def mapping(schema: Schema) -> Schema:
    """Return the schema of an object with such values by any name."""
    return {"type": "object", "additionalProperties": schema}


def enumeration(values: type[Enum]) -> Schema:
    """Return the schema of the values of an enum."""
    return {"enum": [one.value for one in values]}


def record(more: Mapping[str, Schema] | None = None, **required: Schema) -> Schema:
    """Return the schema of an object; the keyword arguments are always there, those of `more` may be."""
    return {"type": "object", "properties": {**required, **(more or {})}, "required": list(required)}
