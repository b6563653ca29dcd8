"""Parses and checks the operator's answers for inputs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from ngp.catalogue import hcl
from ngp.catalogue.module import Variable
from ngp.catalogue.types import ANY, STRING, Type
from ngp.environments import binding, naming
from ngp.errors import UsageError

_UNREADABLE = object()


def parse(text: str, type_: Type) -> Any:
    """Return the value of `text`: JSON, else an HCL literal, else (if the type allows a string) the text itself.

    For a string, anything but a quoted one and null is the text itself: 1.10 stays 1.10. Raises UsageError.
    """
    value = _json(text)
    if value is _UNREADABLE:
        value = _hcl(text)
    takes_text = binding.accepts_text(type_)
    if value is _UNREADABLE:
        if not takes_text:
            raise UsageError(f"`{text}` is neither JSON nor an HCL literal")
        return text
    if type_ == STRING and not isinstance(value, str | None):
        return text
    return value


def check(variable: Variable, value: Any, name: str) -> list[str]:
    """Return why a value is invalid for this input, by its type and by the rules for names."""
    reasons = binding.check(variable, value, name)
    if not reasons and variable.name in naming.LIMITS and isinstance(value, str):
        reasons = naming.check(variable.name, value)
    return reasons


def check_text(variable: Variable, text: str, name: str) -> list[str]:
    """Like `check`, for a typed text."""
    try:
        value = parse(text, variable.type)
    except UsageError as error:
        return [finding.what for finding in error.findings]
    return check(variable, value, name)


def render(value: Any) -> str:
    """Return the value as HCL. Raises UsageError if HCL cannot express it."""
    try:
        return hcl.render(value)
    except (ValueError, TypeError) as error:
        raise UsageError("HCL cannot express this value", why=str(error)) from None


def in_a_line(text: str) -> str:
    """Return the value as JSON on one line, which `parse` accepts too."""
    return json.dumps(parse(text, ANY), ensure_ascii=False, default=str)  # a decimal keeps its digits as a text


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _hcl(text: str) -> Any:
    try:
        body = hcl.parse(f"value = {text}\n", Path("value"))
        if list(body.attributes) == ["value"] and not body.blocks:
            return hcl.literal(body.attributes["value"])
    except UsageError:
        pass
    return _UNREADABLE
