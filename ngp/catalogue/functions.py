"""Terraform functions that conditions commonly use, over Python values (numbers: int or Decimal)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ngp.catalogue import networks, patterns
from ngp.catalogue.operators import ExpressionError, UnknownError, equal, kind, to_bool, to_number, to_string


def call(name: str, arguments: list[Any]) -> Any:
    """Call a function. Raises ExpressionError if Terraform would refuse, UnknownError for an unsupported one."""
    if name not in _FUNCTIONS:
        raise UnknownError(name)
    if None in arguments and name not in _TAKE_NULL:
        raise ExpressionError(f"{name}() takes no null")
    try:
        return _FUNCTIONS[name](*arguments)
    except TypeError:  # too many arguments, or too few
        raise UnknownError(name) from None


def _length(value: Any) -> int:
    if isinstance(value, list | dict):
        return len(value)
    if not isinstance(value, str):
        raise ExpressionError("length() takes a string or a collection")
    return len(_plain(value))


def _plain(text: Any) -> str:
    """Refuse what Terraform does not count, cut or turn by characters as Python does."""
    if not to_string(text).isascii() or "\r\n" in to_string(text):
        raise UnknownError("a text beyond ASCII")
    return to_string(text)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError("a list is required")
    return value


def _map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExpressionError("a map is required")
    return value


def _bools(value: Any) -> list[bool]:
    if any(item is None for item in _list(value)):
        raise UnknownError("a null in a list of bools")
    return [to_bool(item) for item in value]


def _contains(items: Any, wanted: Any) -> bool:
    if isinstance(items, dict):
        raise ExpressionError("contains() takes a list")
    if any(equal(item, wanted) for item in _list(items)):
        return True
    scalars = [item for item in [*items, wanted] if item is not None]
    if len({kind(item) for item in scalars}) > 1:
        raise UnknownError("an element of another type")
    return False


def _distinct(value: Any) -> list[Any]:
    found: list[Any] = []
    for item in _list(value):
        if not any(_same(item, other) for other in found):
            found.append(item)
    return found


def _same(left: Any, right: Any) -> bool:
    """Whether two elements of one list are equal: their types are the same."""
    if isinstance(left, list | dict) and isinstance(right, list | dict):
        if kinds(left) != kinds(right):
            raise UnknownError("elements of several types")
        return bool(left == right)
    return equal(left, right)


def kinds(value: Any) -> Any:
    """Return the shape of a value: the kinds of all its parts."""
    if isinstance(value, list):
        return [kinds(item) for item in value]
    return {key: kinds(item) for key, item in value.items()} if isinstance(value, dict) else kind(value)


def _concat(*lists: Any) -> list[Any]:
    return [item for each in lists for item in _list(each)]


def _flatten(value: Any) -> list[Any]:
    found: list[Any] = []
    for item in _list(value):
        found += _flatten(item) if isinstance(item, list) else [item]
    return found


def _range(*bounds: Any) -> list[Any]:
    numbers = [to_number(bound) for bound in bounds]
    if len(numbers) > 2 or not all(isinstance(each, int) and abs(each) <= 1024 for each in numbers):
        raise UnknownError("a range of another step")
    first, last = (0, *numbers)[-2:]
    return list(range(int(first), int(last), 1 if last >= first else -1))


def _toset(value: Any) -> list[Any]:
    items = _distinct(value)
    if len({kind(item) for item in items}) > 1 or any(kind(item) in {"collection", "null"} for item in items):
        raise UnknownError("a set of several types")
    return sorted(items)


def _uniform(value: Any) -> list[Any]:
    if len({kind(item) for item in _list(value)}) > 1:
        raise UnknownError("a list of several types")
    return _list(value)


def _jsondecode(text: Any) -> Any:
    try:
        return json.loads(to_string(text), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise ExpressionError("this is not JSON") from None


def _jsonencode(value: Any) -> str:
    """Encode like Go: sorted keys, no blanks, and what HTML reads escaped."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, RecursionError):  # a number with a fraction is a Decimal
        raise UnknownError("JSON of this value") from None
    return "".join(f"\\u{ord(sign):04x}" if sign in _ESCAPED else sign for sign in text)


def _index(items: Any, wanted: Any) -> int:
    for position, item in enumerate(_list(items)):
        if equal(item, wanted):
            return position
    if len({kind(item) for item in [*items, wanted]}) > 1:
        raise UnknownError("an element of another type")
    raise ExpressionError("the element does not exist")


def _lookup(items: Any, key: Any, *default: Any) -> Any:
    if to_string(key) in _map(items):
        return items[to_string(key)]
    if not default:
        raise ExpressionError("the key does not exist")
    return default[0]


def _merge(*maps: Any) -> dict[str, Any]:
    return {key: value for each in maps if each is not None for key, value in _map(each).items()}


def _coalesce(*values: Any) -> Any:
    if len({kind(value) for value in values} - {"null"}) > 1:
        raise UnknownError("values of several types")
    for value in values:
        if value is not None and value != "":
            return value
    raise ExpressionError("coalesce() finds no value")


def _one(value: Any) -> Any:
    if len(_list(value)) > 1:
        raise ExpressionError("one() takes no more than one element")
    return value[0] if value else None


def _split(separator: Any, text: Any) -> list[str]:
    mark, subject = to_string(separator), to_string(text)
    return subject.split(mark) if mark else list(_plain(subject))


def _join(separator: Any, *lists: Any) -> str:
    return to_string(separator).join(to_string(item) for item in _concat(*lists))


def _replace(text: Any, old: Any, new: Any) -> str:
    mark = to_string(old)
    if not mark or (len(mark) > 1 and mark.startswith("/") and mark.endswith("/")):
        raise UnknownError("a replacement by pattern")
    return to_string(text).replace(mark, to_string(new))


def _substr(text: Any, offset: Any, length: Any) -> str:
    subject, start, size = _plain(text), to_number(offset), to_number(length)
    if not isinstance(start, int) or not isinstance(size, int) or start < 0:
        raise UnknownError("a part from the end")
    return subject[start:] if size < 0 else subject[start : start + size]


def _trim(text: Any, *marks: str) -> str:
    return to_string(text).strip(*marks)


def _keys(value: Any) -> list[str]:
    return sorted(_map(value))


def _numbers(*values: Any) -> list[int | Decimal]:
    if not values:
        raise ExpressionError("a number is required")
    return [to_number(value) for value in values]


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": lambda value: abs(to_number(value)),
    "alltrue": lambda value: all(_bools(value)),
    "anytrue": lambda value: any(_bools(value)),
    "ceil": lambda value: math.ceil(to_number(value)),
    "cidrhost": networks.cidrhost,
    "cidrnetmask": networks.cidrnetmask,
    "cidrsubnet": networks.cidrsubnet,
    "coalesce": _coalesce,
    "compact": lambda value: [item for item in _list(value) if item not in {None, ""}],
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "endswith": lambda text, end: to_string(text).endswith(to_string(end)),
    "flatten": _flatten,
    "floor": lambda value: math.floor(to_number(value)),
    "index": _index,
    "join": _join,
    "jsondecode": _jsondecode,
    "jsonencode": _jsonencode,
    "keys": _keys,
    "length": _length,
    "lookup": _lookup,
    "lower": lambda text: _plain(text).lower(),
    "max": lambda *values: max(_numbers(*values)),
    "merge": _merge,
    "min": lambda *values: min(_numbers(*values)),
    "one": _one,
    "range": _range,
    "regex": patterns.regex,
    "regexall": patterns.regexall,
    "replace": _replace,
    "setintersection": lambda first, second: [item for item in _toset(first) if item in _toset(second)],
    "setsubtract": lambda first, second: [item for item in _toset(first) if item not in _toset(second)],
    "setunion": lambda *sets: _toset(_concat(*sets)),
    "sort": lambda value: sorted(to_string(item) for item in _list(value)),
    "split": _split,
    "startswith": lambda text, start: to_string(text).startswith(to_string(start)),
    "strcontains": lambda text, part: to_string(part) in to_string(text),
    "substr": _substr,
    "sum": lambda value: sum(_numbers(*_list(value))),
    "tobool": lambda value: None if value is None else to_bool(value),
    "tolist": _uniform,
    "tomap": _map,
    "tonumber": lambda value: None if value is None else to_number(value),
    "toset": _toset,
    "tostring": lambda value: None if value is None else to_string(value),
    "trimprefix": lambda text, start: to_string(text).removeprefix(to_string(start)),
    "trimspace": _trim,
    "trimsuffix": lambda text, end: to_string(text).removesuffix(to_string(end)),
    "upper": lambda text: _plain(text).upper(),
    "values": lambda value: [value[key] for key in _keys(value)],
}
_TAKE_NULL = frozenset({"coalesce", "merge", "tobool", "tonumber", "tostring", "contains", "lookup", "jsonencode"})
_ESCAPED = frozenset("<>&\u2028\u2029")
