"""Previews: plans of units with unknown upstream outputs, without any invented value.

Each upstream output is taken leaf by leaf from the upstream's own plan. A known leaf is passed as its value, by var
file. An unknown leaf becomes the `output` of a `terraform_data` that would be created with a non-null input of the
consumer's declared type: Terraform itself treats that as unknown, and passes it through modules, validation and data
sources. Each such placeholder has a postcondition that fails at apply, so nothing planned from it can be applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ngp.catalogue import types
from ngp.rendering import exact
from ngp.runs.results import UnknownInput
from ngp.terraform.plans import OutputChange

PLACEHOLDER = "ngp_unknown_"  # terraform_data.ngp_unknown_0 …; not part of the unit's plan
STATE = "terraform.tfstate"  # where the local backend of a copy reads its state
_KNOWN = "ngp_known"


class CannotPreviewError(Exception):
    """A unit cannot be previewed. The message is the reason in its `deferred` result."""


@dataclass(frozen=True)
class ExpectedOutput:
    """The expected value of an upstream output. `unknown` is False, True or a structure of those beside `value`."""

    value: Any = None
    unknown: Any = True
    sensitive: bool = False

    @classmethod
    def of(cls, change: OutputChange) -> ExpectedOutput:
        return cls(change.after, change.after_unknown, change.sensitive)


@dataclass(frozen=True)
class WiredInput:
    """An input of a unit and the upstream output that feeds it."""

    name: str
    type: types.Type
    origin: str  # network.vpc_id
    wave: int  # of the upstream unit
    expected: ExpectedOutput


@dataclass
class _Draft:
    sample: Callable[[types.Type, str], str]
    known: dict[str, Any] = field(default_factory=dict)
    placeholders: dict[str, str] = field(default_factory=dict)  # resource name → HCL of its input
    unknowns: list[UnknownInput] = field(default_factory=list)


@dataclass(frozen=True)
class Preview:
    """Files to add to a copy of the unit's root, and the unknown leaves."""

    files: Mapping[str, str]
    unknowns: tuple[UnknownInput, ...]


def draft(unit: str, wired: tuple[WiredInput, ...]) -> Preview:
    """Return the override files for the preview of a unit on a copy of its root, with a local backend.

    Raises CannotPreviewError.
    """
    work = _Draft(_sample)
    arguments = _arguments(work, wired)
    return Preview(
        {
            "preview_override.tf.json": _dump(
                {
                    "terraform": {"backend": {"local": {}}},
                    "module": {unit: arguments},
                    "variable": {one.name: {"default": None, "nullable": True} for one in wired},
                }
            ),
            "preview.tf.json": _dump(_supply(work)),
            "preview.auto.tfvars.json": _dump({_KNOWN: work.known}),
        },
        tuple(work.unknowns),
    )


def unknowns(wired: tuple[WiredInput, ...]) -> tuple[UnknownInput, ...]:
    """Return the unknown leaves of a unit's inputs; any may be unknown, whatever its type."""
    work = _Draft(lambda _kind, _leaf: "")
    _arguments(work, wired)
    return tuple(work.unknowns)


def local_copy() -> dict[str, str]:
    """Return the override file for a root without wires: a local backend."""
    return {"preview_override.tf.json": _dump({"terraform": {"backend": {"local": {}}}})}


def is_placeholder(address: str) -> bool:
    """Whether a resource address is a placeholder of the preview."""
    return address.startswith(f"terraform_data.{PLACEHOLDER}")


def _supply(work: _Draft) -> dict[str, Any]:
    """Add the known leaves as a variable, and a placeholder for each unknown one."""
    document: dict[str, Any] = {"variable": {_KNOWN: {"type": "any"}}}
    if work.placeholders:
        guard = {
            "condition": '${self.id == ""}',  # unknown while planning, false as soon as it exists
            "error_message": "This plan is a preview: an upstream output is not known yet, so it cannot be applied.",
        }
        document["resource"] = {
            "terraform_data": {
                name: {"input": f"${{{text}}}", "lifecycle": {"postcondition": [guard]}}
                for name, text in work.placeholders.items()
            }
        }
    return document


def _arguments(work: _Draft, wired: tuple[WiredInput, ...]) -> dict[str, Any]:
    return {
        one.name: _expression(work, one, one.type, one.expected.value, one.expected.unknown, one.name) for one in wired
    }


def _expression(work: _Draft, one: WiredInput, kind: types.Type, value: Any, unknown: Any, leaf: str) -> Any:
    """Return the JSON syntax expression for a value: known, unknown, or taken apart."""
    if not _any_unknown(unknown):
        key = f"k{len(work.known)}"
        work.known[key] = value
        return f"${{var.{_KNOWN}.{key}}}"
    if unknown is True:
        name = f"{PLACEHOLDER}{len(work.placeholders)}"
        work.placeholders[name] = work.sample(kind, leaf)
        work.unknowns.append(UnknownInput(leaf, one.origin, one.wave))
        return f"${{terraform_data.{name}.output}}"
    if isinstance(unknown, list):
        values = value if isinstance(value, list) else []
        return [
            _expression(work, one, _element(kind, index), _at(values, index), part, f"{leaf}[{index}]")
            for index, part in enumerate(_padded(unknown, len(values)))
        ]
    keys = sorted({*unknown, *(value or {})})
    if isinstance(kind, types.Structure):
        keys = [key for key in keys if key in kind.attributes]  # a conversion to an object drops the others
    return {
        _escape(key): _expression(
            work,
            one,
            _attribute(kind, key),
            (value or {}).get(key),
            unknown.get(key, False),
            f'{leaf}["{key}"]',
        )
        for key in keys
    }


def _any_unknown(unknown: Any) -> bool:
    if isinstance(unknown, dict):
        return any(_any_unknown(part) for part in unknown.values())
    if isinstance(unknown, list):
        return any(_any_unknown(part) for part in unknown)
    return bool(unknown)


def _sample(kind: types.Type, leaf: str) -> str:
    """Return the HCL of a non-null value of a type. Functions convert it: a bare tuple would have an invented
    length."""
    match kind:
        case types.Primitive("number"):
            return "0"
        case types.Primitive("bool"):
            return "false"
        case types.Primitive():
            return '""'
        case types.Collection("list", element):
            return f"tolist([{_sample(element, leaf)}])"
        case types.Collection("set", element):
            return f"toset([{_sample(element, leaf)}])"
        case types.Collection(_, element):
            return f'tomap({{"" = {_sample(element, leaf)}}})'
        case types.Structure(attributes):
            inner = ", ".join(f"{json.dumps(name)} = {_sample(one.type, leaf)}" for name, one in attributes.items())
            return f"{{{inner}}}"
        case types.Sequence(elements):
            return f"[{', '.join(_sample(element, leaf) for element in elements)}]"
    raise CannotPreviewError(
        f"`{leaf}` is not known yet, and its input has the type any, so ngp has no placeholder for it"
    )


def _element(kind: types.Type, index: int) -> types.Type:
    match kind:
        case types.Collection(_, element):
            return element
        case types.Sequence(elements) if index < len(elements):
            return elements[index]
    return types.ANY


def _attribute(kind: types.Type, key: str) -> types.Type:
    match kind:
        case types.Collection("map", element):
            return element
        case types.Structure(attributes) if key in attributes:
            return attributes[key].type
    return types.ANY


def _padded(unknown: list[Any], length: int) -> list[Any]:
    return unknown + [False] * (length - len(unknown))


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _escape(text: str) -> str:
    """Escape a key: in Terraform's JSON syntax it is a template, and a literal `${` must not become one."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _dump(document: Any) -> str:
    return exact.dump(document)
