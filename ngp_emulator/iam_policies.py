"""Evaluates IAM identity policies, without moto.

Source: "Policy evaluation logic" and "IAM JSON policy elements" of the IAM user guide.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

Document = Mapping[str, Any]  # a policy as JSON data
Context = Mapping[str, str | Sequence[str]]  # key of a condition → its value, or values, in the request

_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_LITERAL = {"*": "*", "?": "?", "$": "$"}  # ${*} is a star that is no wildcard
_ANY, _ALL, _IF = "ForAnyValue:", "ForAllValues:", "IfExists"
_ARN_PARTS = 6


def is_allowed(policies: Iterable[Document], action: str, resource: str, context: Context) -> bool:
    """Return whether some statement allows an action (``ssm:GetParameter``) on a resource, and none denies it.

    A statement whose condition is not met counts for nothing. Raises ValueError for an operator of conditions that
    IAM does not have.
    """
    keys = {name.lower(): _texts(value) for name, value in context.items()}
    effects = {
        statement.get("Effect")
        for document in policies
        for statement in _list(document.get("Statement"))
        if _applies(statement, action, resource, keys)
    }
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, keys: Mapping[str, list[str]]) -> bool:
    return (
        _covers(statement, "Action", lambda said: _fits(said.lower(), action.lower()))
        and _covers(statement, "Resource", lambda said: _fits_resource(said, resource, keys))
        and all(
            _is_met(operator, name, _list(wanted), keys)
            for operator, asked in (statement.get("Condition") or {}).items()
            for name, wanted in asked.items()
        )
    )


def _covers(statement: Mapping[str, Any], element: str, fits: Callable[[str], bool]) -> bool:
    """Whether ``Action`` (or ``Resource``) names it, or ``NotAction`` does not."""
    if f"Not{element}" in statement:
        return not any(fits(said) for said in _list(statement[f"Not{element}"]))
    return any(fits(said) for said in _list(statement.get(element)))


def _fits_resource(said: str, resource: str, keys: Mapping[str, list[str]]) -> bool:
    pattern = _pattern(said, keys)
    return pattern is not None and re.fullmatch(pattern, resource, re.DOTALL) is not None


def _fits(said: str, text: str) -> bool:
    return _glob(said).fullmatch(text) is not None


@cache
def _glob(said: str) -> re.Pattern[str]:
    """``*`` is any text and ``?`` any character; all else is itself."""
    return re.compile(_escape(said), re.DOTALL)


def _escape(said: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(each, re.escape(each)) for each in said)


def _pattern(said: str, keys: Mapping[str, list[str]]) -> str | None:
    """The regular expression of a text with wildcards and variables; None if a variable has no value.

    What a variable says is text: a star in it is a star.
    """
    parts, start = [], 0
    for found in _VARIABLE.finditer(said):
        value = _variable(found, keys)
        if value is None:
            return None
        parts += [_escape(said[start : found.start()]), re.escape(value)]
        start = found.end()
    return "".join([*parts, _escape(said[start:])])


def _plain(said: str, keys: Mapping[str, list[str]]) -> str | None:
    """A text without wildcards, its variables replaced; None if one has no value."""
    values = [_variable(found, keys) for found in _VARIABLE.finditer(said)]
    if None in values:
        return None
    return _VARIABLE.sub(lambda found: _variable(found, keys) or "", said)


def _variable(found: re.Match[str], keys: Mapping[str, list[str]]) -> str | None:
    name, default = found[1], found[2]
    if name in _LITERAL:
        return _LITERAL[name]
    given = keys.get(name.lower(), [])
    return given[0] if len(given) == 1 else default


def _is_met(operator: str, name: str, wanted: list[Any], keys: Mapping[str, list[str]]) -> bool:
    """Return whether a condition is met: one of the wanted values matches, or none for a "not" operator."""
    given = keys.get(name.lower(), [])
    if operator == "Null":
        return any((not given) == (str(each).lower() == "true") for each in wanted)
    base = operator.removeprefix(_ANY).removeprefix(_ALL).removesuffix(_IF)
    negated, fits = _operator(base)
    if not given and not operator.startswith(_ANY):
        return negated or operator.endswith(_IF) or operator.startswith(_ALL)

    def holds(value: str) -> bool:
        return any(fits(str(_said(each)), value, keys) for each in wanted) != negated

    if operator.startswith(_ALL):
        return all(holds(value) for value in given)
    if negated and not operator.startswith(_ANY):
        return all(holds(value) for value in given)
    return any(holds(value) for value in given)


def _said(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


_Fits = Callable[[str, str, Mapping[str, list[str]]], bool]


def _operator(name: str) -> tuple[bool, _Fits]:
    """Return whether an operator is a "not" operator, and its comparison."""
    for plain, negated, fits in _operators():
        if name and name in (plain, negated):
            return name == negated, fits
    raise ValueError(f"IAM has no operator `{name}` of conditions")


@cache
def _operators() -> tuple[tuple[str, str, _Fits], ...]:
    """Return the operators with their "not" variants."""
    return (
        ("StringEquals", "StringNotEquals", lambda said, value, keys: _plain(said, keys) == value),
        ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equal_but_case),
        ("StringLike", "StringNotLike", _fits_resource),
        ("ArnEquals", "ArnNotEquals", _arn_like),
        ("ArnLike", "ArnNotLike", _arn_like),
        ("Bool", "", lambda said, value, keys: (_plain(said, keys) or "").lower() == value.lower()),
        ("BinaryEquals", "", lambda said, value, _keys: said == value),
        ("IpAddress", "NotIpAddress", lambda said, value, _keys: _is_within(said, value)),
        *_ordered("Numeric", float),
        *_ordered("Date", _moment),
    )


def _ordered(kind: str, read: Callable[[str], Any]) -> Iterator[tuple[str, str, _Fits]]:
    """Return an operator such as ``NumericLessThan``: the value of the request is on the left."""
    yield f"{kind}Equals", f"{kind}NotEquals", lambda said, value, _keys: bool(read(value) == read(said))
    yield f"{kind}LessThan", "", lambda said, value, _keys: bool(read(value) < read(said))
    yield f"{kind}LessThanEquals", "", lambda said, value, _keys: bool(read(value) <= read(said))
    yield f"{kind}GreaterThan", "", lambda said, value, _keys: bool(read(value) > read(said))
    yield f"{kind}GreaterThanEquals", "", lambda said, value, _keys: bool(read(value) >= read(said))


def _equal_but_case(said: str, value: str, keys: Mapping[str, list[str]]) -> bool:
    plain = _plain(said, keys)
    return plain is not None and plain.lower() == value.lower()


def _arn_like(said: str, value: str, keys: Mapping[str, list[str]]) -> bool:
    """Match each of the six parts of an ARN on its own: a star crosses a colon only in the last."""
    parts, given = _split(said), _split(value)
    return len(parts) == len(given) == _ARN_PARTS and all(
        _fits_resource(part, one, keys) for part, one in zip(parts, given, strict=True)
    )


def _split(arn: str) -> list[str]:
    """Split an ARN; the colon in a variable (``${aws:username}``) does not count."""
    return [part.replace("\0", ":") for part in _VARIABLE.sub(_hide, arn).split(":", _ARN_PARTS - 1)]


def _hide(found: re.Match[str]) -> str:
    return found[0].replace(":", "\0")


def _is_within(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _moment(text: str) -> datetime:
    """Parse a time in ISO 8601 or in seconds since 1970."""
    if re.fullmatch(r"\d+(\.\d+)?", text) and len(text) > len("2026"):
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _texts(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
