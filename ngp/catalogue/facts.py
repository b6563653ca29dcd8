"""Facts of one file as JSON data: its variables, outputs, requirements and dummy values.

They do not contain the file's path, so they can be cached by content; `*_of` make values of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from ngp.catalogue import hcl, types
from ngp.catalogue.module import DummyValue, Output, SourceLocation, Validation, Variable
from ngp.errors import Finding, UsageError

Facts = Mapping[str, Any]
T = TypeVar("T")
# Terraform reserves these words in a module block, and refuses them as names of variables.
_RESERVED = frozenset({"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"})
_BOOLS = {"true": True, "false": False, "1": True, "0": False}  # what Terraform converts
_FLAGS = {"sensitive": False, "ephemeral": False, "nullable": True}


def collect(text: str, path: Path) -> Facts:
    """Return the facts of a .tf file. Raises one UsageError with all its errors."""
    return collect_body(hcl.parse(text, path))


def collect_body(body: hcl.Body) -> Facts:
    """Like `collect`, for a parsed body."""
    findings = list[Finding]()
    facts = {
        "variables": list(_gather(_variable, body.of("variable"), findings)),
        "outputs": list(_gather(_output, body.of("output"), findings)),
        "required": list(_gather(_required, body.of("terraform"), findings)),
    }
    if findings:
        raise UsageError(findings)
    return facts


def collect_dummies(text: str, path: Path) -> Facts:
    """Return the facts of a NAME.dummy. Raises one UsageError with all its errors."""
    body, findings = hcl.parse(text, path), list[Finding]()
    for block in body.blocks:
        findings.append(Finding("a dummy file may contain `name = value` only", block.where))
    dummies = list(_gather(_dummy, body.attributes.values(), findings))
    if findings:
        raise UsageError(findings)
    return {"dummies": dummies}


def variables_of(facts: Facts, path: Path) -> Iterator[Variable]:
    for each in facts["variables"]:
        place = SourceLocation(path, each["line"])
        rest = {key: value for key, value in each.items() if key not in {"line", "default", "validations"}}
        yield Variable(
            **rest,
            type=types.parse(each["type_text"], str(place)),
            default=decode(each["default"]),
            validations=tuple(Validation(*rule) for rule in each["validations"]),
            place=place,
        )


def outputs_of(facts: Facts, path: Path) -> Iterator[Output]:
    for each in facts["outputs"]:
        yield Output(
            **{key: value for key, value in each.items() if key != "line"}, place=SourceLocation(path, each["line"])
        )


def dummies_of(facts: Facts, path: Path) -> dict[str, DummyValue]:
    return {
        each["name"]: DummyValue(
            each["text"], decode(each["value"]), tuple(each["comment"]), SourceLocation(path, each["line"])
        )
        for each in facts["dummies"]
    }


def encode(value: Any) -> Any:
    """Return JSON data that keeps decimals, in objects with one key."""
    match value:
        case Decimal():
            return {"decimal": str(value)}
        case dict():
            return {"object": {key: encode(item) for key, item in value.items()}}
        case list():
            return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """Return the value that `encode` encoded."""
    match value:
        case {"decimal": text}:
            return Decimal(text)
        case {"object": items}:
            return {key: decode(item) for key, item in items.items()}
        case list():
            return [decode(item) for item in value]
    return value


def _gather(read: Callable[[T], Any], items: Any, findings: list[Finding]) -> Iterator[Any]:
    for item in items:
        try:
            yield read(item)
        except UsageError as error:
            findings.extend(error.findings)


def _variable(block: hcl.Block) -> Facts:
    attributes = block.body.attributes
    name, type_ = _name(block), attributes.get("type")
    if name in _RESERVED:
        why = "Terraform keeps this word for itself in a module block"
        raise UsageError(f"`{name}` is not a valid variable name", where=block.where, why=why, todo="rename it")
    type_text = type_.text if type_ else "any"
    types.parse(type_text, type_.where if type_ else block.where)
    return {
        "name": name,
        "line": block.line,
        "type_text": type_text,
        "description": _text(attributes.get("description")),
        "has_default": "default" in attributes,
        "default": encode(_default(attributes.get("default"))),
        **{flag: _flag(attributes.get(flag), absent) for flag, absent in _FLAGS.items()},
        "validations": [_validation(rule) for rule in block.body.of("validation")],
    }


def _validation(block: hcl.Block) -> list[str | int]:
    condition, message = (block.body.attributes.get(name) for name in ("condition", "error_message"))
    texts = [condition.text if condition else "true", _text(message), message.text if message else '""']
    return [*texts, condition.line if condition else block.line]


def _output(block: hcl.Block) -> Facts:
    attributes = block.body.attributes
    return {
        "name": _name(block),
        "line": block.line,
        "description": _text(attributes.get("description")),
        "sensitive": _flag(attributes.get("sensitive"), absent=False),
        "ephemeral": _flag(attributes.get("ephemeral"), absent=False),
        "expression": attributes["value"].text if "value" in attributes else "",
    }


def _required(block: hcl.Block) -> Facts:
    providers: dict[str, dict[str, str]] = {}
    for inner in block.body.of("required_providers"):
        for name, attribute in inner.body.attributes.items():
            if attribute.text.startswith("{"):
                entries = hcl.elements(attribute)
                providers[name] = {key: _text(entries[key]) for key in ("source", "version") if key in entries}
            else:  # as Terraform 0.12 wrote it
                providers[name] = {"version": _text(attribute)}
    return {"version": _text(block.body.attributes.get("required_version")), "providers": providers}


def _dummy(attribute: hcl.Attribute) -> Facts:
    return {
        "name": attribute.name,
        "line": attribute.line,
        "text": attribute.text,
        "value": encode(hcl.literal(attribute)),
        "comment": list(attribute.comment),
    }


def _name(block: hcl.Block) -> str:
    if len(block.labels) != 1:
        raise UsageError(f"a {block.type} has one name", where=block.where)
    return block.labels[0]


def _text(attribute: hcl.Attribute | None) -> str:
    """A literal string; of one with interpolations (an error message may have some) the source between its quotes."""
    if attribute is None:
        return ""
    try:
        value = hcl.literal(attribute)
    except UsageError:
        return attribute.text.strip('"')
    return value if isinstance(value, str) else attribute.text


def _default(attribute: hcl.Attribute | None) -> Any:
    try:
        return None if attribute is None else hcl.literal(attribute)
    except UsageError:
        return None  # an expression: only Terraform can read it


def _flag(attribute: hcl.Attribute | None, absent: bool) -> bool:  # noqa: FBT001
    value = absent if attribute is None else hcl.literal(attribute)
    value = _BOOLS.get(value, value) if isinstance(value, str) else value
    if not isinstance(value, bool):
        assert attribute is not None
        raise UsageError(f"`{attribute.name}` must be true or false", where=attribute.where)
    return value
