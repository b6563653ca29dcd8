"""Limits of API parameters, from botocore's service models, without a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_DEPTH = 7  # deeper than any parameter that a resource of Terraform sets by a plain value


@dataclass(frozen=True)
class ParameterLimits:
    """The limits of a parameter: numbers by value, texts and lists by length."""

    path: str  # ``ResourceRecordSet.TTL``, ``Tags[].Key``; ``{}`` is a map's value, ``{key}`` its key
    kind: str  # string, integer, list, …
    pattern: str = ""
    enum: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


@cache
def version() -> str:
    """Return the version of the models."""
    from importlib import metadata

    return metadata.version("botocore")


@cache
def parameters(service: str, operation: str) -> tuple[ParameterLimits, ...]:
    """Return the limited parameters of an operation (``iam``, ``CreateRole``), including nested ones."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(_loader(Loader).load_service_model(service, "service-2"))
    shape = model.operation_model(operation).input_shape
    return tuple(_walk(shape, "", 0)) if shape else ()


def _walk(shape: Any, path: str, depth: int) -> Iterator[ParameterLimits]:
    if path:
        yield from _accepted(shape, path)
    if depth == _DEPTH:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from _walk(member, f"{path}.{name}" if path else name, depth + 1)
    elif shape.type_name == "list":
        yield from _walk(shape.member, f"{path}[]", depth + 1)
    elif shape.type_name == "map":
        yield from _walk(shape.key, f"{path}{{key}}", depth + 1)
        yield from _walk(shape.value, f"{path}{{}}", depth + 1)


def _accepted(shape: Any, path: str) -> Iterator[ParameterLimits]:
    bounds: Mapping[str, Any] = shape.metadata
    found = ParameterLimits(
        path,
        shape.type_name,
        bounds.get("pattern", ""),
        tuple(getattr(shape, "enum", None) or ()),
        bounds.get("min"),
        bounds.get("max"),
    )
    if found.pattern or found.enum or found.least is not None or found.most is not None:
        yield found


@cache
def _loader(kind: Any) -> Any:
    return kind()
