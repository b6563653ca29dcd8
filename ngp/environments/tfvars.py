"""Loads terraform.tfvars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ngp.cache import recall
from ngp.catalogue import facts, hcl
from ngp.catalogue.module import SourceLocation
from ngp.environments.values import COMMON_INPUTS, FACTS, Values, WrittenValue
from ngp.errors import Finding, UsageError, nearest, require

FILE = "terraform.tfvars"


def load(path: Path, cache: Path | None = None) -> Values:
    """Load a terraform.tfvars; a missing one has no values. Raises one UsageError with everything that is not a
    literal.

    `cache` is a folder for parsed files (`ngp.cache`).
    """
    if not path.is_file():
        return Values(path)
    text = hcl.read(path)
    return _values(recall(cache, f"{path.parent.name}/{FILE}", text.encode(), lambda: _read(text, path)), path)


def parse(text: str, path: Path) -> Values:
    """Like `load`, for a text; `path` is for messages only."""
    return _values(_read(text, path), path)


def check(values: Values, units: Iterable[str]) -> list[Finding]:
    """Return the top-level keys that are neither a common input nor one of the units."""
    units = frozenset(units)
    findings = []
    for name in [*values.strangers, *values.objects]:
        where = str(values.places[name])
        if name in FACTS:
            source = "ngp.yaml" if name == "project" else "environment.yaml"
            findings.append(Finding(f"`{name}` is a fact", where, f"{source} sets it", "delete it here"))
        elif name in values.strangers and name in units:
            findings.append(Finding(f"`{name}` must be an object", where, "it contains the values of a unit"))
        elif name not in units:
            what = f"`{name}` is neither a common input nor a unit"
            own = f"write a unit's own value into its object: UNIT = {{ {name} = … }}"
            hint = nearest(name, [*units, *COMMON_INPUTS], own if name in values.strangers else "")
            findings.append(Finding(what, where, todo=hint))
    return findings


def _read(text: str, path: Path) -> dict[str, Any]:
    """What the text says, as JSON data: the line and the `value` of each key, or its `object` of such."""
    body = hcl.parse(text, path)
    findings = [
        Finding(f"a block (`{block.type}`) is not allowed in {FILE}", block.where, "it may contain `name = value` only")
        for block in body.blocks
    ]
    data: dict[str, Any] = {}
    for name, attribute in body.attributes.items():
        is_object = name not in COMMON_INPUTS and attribute.text.startswith("{")
        data[name] = (_object if is_object else _plain)(attribute, findings)
    require(findings)
    return data


def _object(attribute: hcl.Attribute, findings: list[Finding]) -> dict[str, Any]:
    """Return a unit's values by input; values that are not literals are added to `findings`."""
    try:
        elements = hcl.elements(attribute)
    except UsageError as error:
        findings.extend(error.findings)
        return {}
    return {"line": attribute.line, "object": {name: _plain(each, findings) for name, each in elements.items()}}


def _plain(attribute: hcl.Attribute, findings: list[Finding]) -> dict[str, Any]:
    try:
        return {"line": attribute.line, "value": facts.encode(hcl.literal(attribute))}
    except UsageError as error:
        findings.extend(error.findings)
        return {}


def _values(data: Mapping[str, Any], path: Path) -> Values:
    def value(each: Mapping[str, Any]) -> WrittenValue:
        return WrittenValue(facts.decode(each["value"]), SourceLocation(path, each["line"]))

    plain = {name: value(each) for name, each in data.items() if "value" in each}
    objects = {name: each["object"] for name, each in data.items() if "object" in each}
    return Values(
        path,
        common={name: each for name, each in plain.items() if name in COMMON_INPUTS},
        objects={name: {key: value(each) for key, each in inputs.items()} for name, inputs in objects.items()},
        strangers={name: each for name, each in plain.items() if name not in COMMON_INPUTS},
        places={name: SourceLocation(path, each["line"]) for name, each in data.items()},
    )
