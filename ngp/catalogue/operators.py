"""Operators and conversions of Terraform expressions, over Python values (numbers: int or Decimal)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, localcontext
from typing import Any

from ngp.catalogue import literals

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST = 400  # maximum characters of a number
_PRECISION = Context(prec=150)


class ExpressionError(Exception):
    """Terraform would refuse to evaluate this."""


class UnknownError(Exception):
    """Only Terraform knows this value."""


def to_string(value: Any) -> str:
    """Convert to a string like Terraform."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        whole = value == int(value)
        if isinstance(value, Decimal) and not whole and len(str(value)) > 15:
            raise UnknownError("a number of many digits as a text")
        return literals.number(int(value) if whole else Decimal(value).normalize())
    raise ExpressionError("a string is required")


def to_number(value: Any) -> int | Decimal:
    """Convert to a number like Terraform."""
    if isinstance(value, str) and len(value) <= _LONGEST and _NUMBER.fullmatch(value):
        value = Decimal(value)
        if value.adjusted() > _LONGEST:
            raise UnknownError("a number of many digits")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ExpressionError("a number is required")
    return int(value) if value == int(value) else value


def to_bool(value: Any) -> bool:
    """Convert to a bool like Terraform."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in {"true", "false", "1", "0"}:
        return value in {"true", "1"}
    raise ExpressionError("a bool is required")


def negate(value: Any) -> int | Decimal:
    return -to_number(value)


def binary(operator: str, left: Any, right: Any) -> Any:
    """Apply an operator other than ``&&`` and ``||``."""
    if operator in {"==", "!="}:
        return equal(left, right) is (operator == "==")
    first, second = to_number(left), to_number(right)
    comparing: Mapping[str, Callable[[], bool]] = {
        "<": lambda: first < second,
        ">": lambda: first > second,
        "<=": lambda: first <= second,
        ">=": lambda: first >= second,
    }
    return comparing[operator]() if operator in comparing else _arithmetic(operator, first, second)


def _arithmetic(operator: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    first, second = Decimal(left), Decimal(right)
    computing: Mapping[str, Callable[[], Decimal]] = {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "/": lambda: first / second,
        "%": lambda: first % second,
    }
    try:
        with localcontext(_PRECISION):
            return to_number(computing[operator]())
    except DecimalException:
        raise ExpressionError("division by zero") from None


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal; collections are unsupported, because their types count and are unknown."""
    if left is None or right is None:
        return left is right
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            raise UnknownError("an equality of collections")
        return False
    return kind(left) == kind(right) and bool(left == right)


def kind(value: Any) -> str:
    """``string``, ``number``, ``bool``, ``null`` or ``collection``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | Decimal) else "collection"


def unify(value: Any, other: Callable[[], Any]) -> Any:
    """Convert the chosen value of a conditional, a number or a bool, to the common type of both values."""
    try:
        beside = kind(other())
    except ExpressionError:
        raise UnknownError("a conditional of an unknown type") from None
    if beside in {kind(value), "null"}:
        return value
    if beside == "string":
        return to_string(value)
    raise UnknownError("a conditional of two types")


def index(value: Any, key: Any, known: Callable[[Any, str], Any]) -> Any:
    """Return an element of a list, a map or an object; `known` refuses those that only Terraform knows."""
    if isinstance(value, Mapping):
        name = to_string(key)
        if name not in value:
            raise ExpressionError(f"there is no element {name!r}")
        return known(value[name], name)
    if isinstance(value, list):
        position = to_number(key)
        if not isinstance(position, int) or not 0 <= position < len(value):
            raise ExpressionError("the index is out of range")
        return value[position]
    raise ExpressionError("this has no elements")


def pairs(value: Any) -> list[tuple[Any, Any]]:
    """Return the keys and the values that a `for` iterates over, in Terraform's order."""
    if isinstance(value, Mapping):
        return sorted(value.items())
    if isinstance(value, list):
        return list(enumerate(value))
    raise ExpressionError("a `for` needs a collection")
