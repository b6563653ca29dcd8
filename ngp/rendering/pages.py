"""docs/files.md: the reference of the files that an operator writes, from the JSON Schemas that check them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ngp.rendering import markdown

Schema = Mapping[str, Any]

_HEAD = """\
# The files' reference

Generated from the schemas that ngp checks these files against; do not edit: run `python docs/generate.py`.
The folder `schemas/` has the schemas for editors. Unknown keys are errors. In a key, `NAME` stands for a name of your
choice, and `[]` for every item of a list.
"""


def files_reference() -> str:
    """Return the text of docs/files.md."""
    summaries = {
        "ngp.yaml": "Settings of the whole platform.",
        "environments/ENV/environment.yaml": "One region of one stage, and its units.",
        "hosts.yaml": "Machines outside of AWS, for `ngp host`; the file is optional.",
        "modules/NAME/module.yaml": "What the HCL of a module cannot express.",
    }
    return "\n".join([_HEAD, *(section(path, summaries[path], schema) for path, schema in _schemas().items())])


def published_schemas() -> dict[str, str]:
    """Return the JSON Schemas by file name, for editors that check YAML."""
    texts = {path: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for path, schema in _schemas().items()}
    return {f"{PurePosixPath(path).stem}.schema.json": text for path, text in texts.items()}


def _schemas() -> dict[str, Schema]:
    from ngp.catalogue import manifest
    from ngp.environments import documents, host_files, platforms

    return {
        "ngp.yaml": platforms.schema(),
        "environments/ENV/environment.yaml": documents.schema(),
        "hosts.yaml": host_files.schema(),
        "modules/NAME/module.yaml": manifest.schema(),
    }


def section(title: str, summary: str, schema: Schema) -> str:
    """Return a heading and a table with a row for each key; nested keys follow their parent."""
    rows = markdown.table(("key", "kind", "default", "meaning"), _rows(schema, schema, ""))
    return "\n".join([f"## {title}", "", summary, "", rows, ""])


def _rows(schema: Schema, whole: Schema, prefix: str) -> Iterator[Sequence[str]]:
    needed = set(schema.get("required", ()))
    for name, written in schema.get("properties", {}).items():
        inner = _follow(written, whole)
        default = "**needed**" if name in needed else _default(written)
        meaning = written.get("description") or inner.get("description", "")
        yield f"`{prefix}{name}`", markdown.cell(_kind(inner, whole)), default, markdown.cell(meaning)
        yield from _inside(inner, whole, f"{prefix}{name}")


def _inside(schema: Schema, whole: Schema, key: str) -> Iterator[Sequence[str]]:
    """Return the rows of the keys inside a mapping or a list."""
    if "properties" in schema:
        yield from _rows(schema, whole, f"{key}.")
    elif "items" in schema:
        yield from _inside(_follow(schema["items"], whole), whole, f"{key}[]")
    elif each := _each(schema):
        yield from _inside(_follow(each, whole), whole, f"{key}.NAME")


def _follow(schema: Schema, whole: Schema) -> Schema:
    """Return the schema behind a reference, or the one of two that is not null."""
    if "$ref" in schema:
        target: Any = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _follow(target, whole)
    others = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _follow(others[0], whole) if len(others) == 1 else schema


def _each(schema: Schema) -> Schema | None:
    """Return the schema of the values of a mapping with arbitrary keys."""
    found = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    return found if isinstance(found, Mapping) else None


def _kind(schema: Schema, whole: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(_kind(_follow(each, whole), whole) for each in schema["anyOf"])
    if "items" in schema:
        return f"list of {_kind(_follow(schema['items'], whole), whole)}"
    if schema.get("type") == "object":
        each = _each(schema)
        return f"mapping to {_kind(_follow(each, whole), whole)}" if each else "mapping"
    word = str(schema.get("type", "any"))
    return {"integer": "whole number", "boolean": "true or false"}.get(word, word)


def _default(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value in (None, "", [], {}) else f"`{value if isinstance(value, str) else json.dumps(value)}`"
