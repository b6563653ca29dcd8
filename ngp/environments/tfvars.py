"""terraform.tfvars: read what the operator wrote."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.module import Place
from ngp.environments.values import COMMON_INPUTS, FACTS, Value, Values
from ngp.errors import Finding, UsageError, nearest, require

FILE = "terraform.tfvars"


def load(path: Path) -> Values:
    """Read a terraform.tfvars; a missing one has no values. Raise one UsageError with all that is no literal."""
    return parse(hcl.read(path), path) if path.is_file() else Values(path)


def parse(text: str, path: Path) -> Values:
    """As `load`, for a text in hand; `path` is for messages only."""
    body = hcl.parse(text, path)
    findings = [
        Finding(f"a block (`{block.type}`) cannot stand in {FILE}", block.where, "it holds `name = value` only")
        for block in body.blocks
    ]
    values: dict[str, Any] = {}
    for name, attribute in body.attributes.items():
        is_object = name not in COMMON_INPUTS and attribute.text.startswith("{")
        values[name] = (_object if is_object else _plain)(attribute, findings)
    require(findings)
    places = {name: Place(path, attribute.line) for name, attribute in body.attributes.items()}
    objects = {name: value for name, value in values.items() if isinstance(value, dict)}
    plain = {name: value for name, value in values.items() if isinstance(value, Value)}
    return Values(
        path,
        common={name: value for name, value in plain.items() if name in COMMON_INPUTS},
        objects=objects,
        strangers={name: value for name, value in plain.items() if name not in COMMON_INPUTS},
        places=places,
    )


def check(values: Values, units: Iterable[str]) -> list[Finding]:
    """What stands at the top level and is neither a common input nor one of the units."""
    units = frozenset(units)
    findings = []
    for name in [*values.strangers, *values.objects]:
        where = str(values.places[name])
        if name in FACTS:
            source = "ngp.yaml" if name == "project" else "environment.yaml"
            findings.append(Finding(f"`{name}` is a fact", where, f"{source} says it", "take it out here"))
        elif name in values.strangers and name in units:
            findings.append(Finding(f"`{name}` must be an object", where, "it holds the values of a unit"))
        elif name not in units:
            what = f"`{name}` is neither a common input nor a unit"
            todo = f"a unit's own values stand in its object: UNIT = {{ {name} = … }}"
            hint = nearest(name, [*units, *COMMON_INPUTS])
            findings.append(Finding(what, where, hint, todo if name in values.strangers else ""))
    return findings


def _object(attribute: hcl.Attribute, findings: list[Finding]) -> dict[str, Value] | None:
    """A unit's values by input; what is no literal goes to `findings`."""
    try:
        elements = hcl.elements(attribute)
    except UsageError as error:
        findings.extend(error.findings)
        return None
    values = {name: _plain(each, findings) for name, each in elements.items()}
    return {name: value for name, value in values.items() if value}


def _plain(attribute: hcl.Attribute, findings: list[Finding]) -> Value | None:
    try:
        return Value(hcl.literal(attribute), Place(attribute.scanned.path, attribute.line))
    except UsageError as error:
        findings.extend(error.findings)
        return None
