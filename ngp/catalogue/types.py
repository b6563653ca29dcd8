"""Terraform's type constraints (Terraform language, "Type Constraints"): parses, writes and checks them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ngp.errors import UsageError


@dataclass(frozen=True)
class Primitive:
    name: str  # string, number, bool


@dataclass(frozen=True)
class Anything:
    """``any``: the value decides."""


@dataclass(frozen=True)
class Collection:
    kind: str  # list, set, map
    element: Type


@dataclass(frozen=True)
class ObjectAttribute:
    type: Type
    optional: bool = False
    default: str = ""  # of `optional(T, default)`, as HCL text; "" where there is none


@dataclass(frozen=True)
class Structure:
    """``object({…})``."""

    attributes: Mapping[str, ObjectAttribute]


@dataclass(frozen=True)
class Sequence:
    """``tuple([…])``."""

    elements: tuple[Type, ...]


Type = Primitive | Anything | Collection | Structure | Sequence
STRING, NUMBER, BOOL, ANY = Primitive("string"), Primitive("number"), Primitive("bool"), Anything()

_WORDS: Mapping[str, Type] = {
    "string": STRING,
    "number": NUMBER,
    "bool": BOOL,
    "any": ANY,
    "list": Collection("list", ANY),  # as Terraform 0.11 wrote them; still read
    "map": Collection("map", ANY),
    "set": Collection("set", ANY),
}
_TOKEN = re.compile(
    r'(?P<skip>[ \t\r]+|(?:\#|//)[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>[^\W\d][\w-]*)|(?P<sign>\n|.)",
    re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def parse(text: str, where: str = "") -> Type:
    """Parse a type constraint. Raises UsageError at `where` if it is invalid."""
    reader = _Reader(text, where)
    found = reader.type()
    reader.expect("")
    return found


def render(type_: Type) -> str:
    """Return a type constraint on one line, which `parse` reads again."""
    match type_:
        case Primitive(name):
            return name
        case Anything():
            return "any"
        case Collection(kind, element):
            return f"{kind}({render(element)})"
        case Sequence(elements):
            return f"tuple([{', '.join(map(render, elements))}])"
        case Structure(attributes):
            inner = ", ".join(f"{_key(name)} = {_attribute(item)}" for name, item in attributes.items())
            return f"object({{ {inner} }})" if inner else "object({})"


def check(type_: Type, value: Any, where: str) -> list[str]:
    """Return why Terraform could not convert `value` to `type_`, each reason with the path from `where`.

    null fits every type here: the input decides whether it may be null.
    """
    if value is None:
        return []
    match type_:
        case Anything():
            return []
        case Primitive(name):
            return [] if _fits(name, value) else [f"{where}: a {name} is required, not {_kind(value)}"]
        case Collection(kind, element):
            return _check_collection(kind, element, value, where)
        case Structure(attributes):
            return _check_structure(attributes, value, where)
        case Sequence(elements):
            return _check_sequence(elements, value, where)


def _fits(name: str, value: Any) -> bool:
    if isinstance(value, str):
        return (
            name == "string"
            or (name == "number" and _NUMBER.fullmatch(value) is not None)
            or (name == "bool" and value in {"true", "false", "1", "0"})
        )
    if isinstance(value, bool):
        return name in {"bool", "string"}
    return isinstance(value, int | float | Decimal) and name in {"number", "string"}


def _check_collection(kind: str, element: Type, value: Any, where: str) -> list[str]:
    if kind == "map":
        if not isinstance(value, Mapping):
            return [f"{where}: a map is required, not {_kind(value)}"]
        items = [(f'{where}["{key}"]', item) for key, item in value.items()]
    else:
        if not isinstance(value, list | tuple | set | frozenset):
            return [f"{where}: a {kind} is required, not {_kind(value)}"]
        items = [(f"{where}[{index}]", item) for index, item in enumerate(value)]
    if element == ANY and not _unify([item for _, item in items]):
        return [f"{where}: all elements of a {kind} must be of one type"]
    return [reason for place, item in items for reason in check(element, item, place)]


def _check_structure(attributes: Mapping[str, ObjectAttribute], value: Any, where: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{where}: an object is required, not {_kind(value)}"]
    reasons = []
    for name, attribute in attributes.items():
        if name in value:
            reasons += check(attribute.type, value[name], f"{where}.{name}")
        elif not attribute.optional:
            reasons.append(f"{where}: the attribute `{name}` is required")
    return reasons


def _check_sequence(elements: tuple[Type, ...], value: Any, where: str) -> list[str]:
    if not isinstance(value, list | tuple):
        return [f"{where}: a tuple is required, not {_kind(value)}"]
    if len(value) != len(elements):
        required = "1 element is" if len(elements) == 1 else f"{len(elements)} elements are"
        return [f"{where}: {required} required, not {len(value)}"]
    pairs = enumerate(zip(elements, value, strict=True))
    return [reason for index, (type_, item) in pairs for reason in check(type_, item, f"{where}[{index}]")]


def _unify(values: Iterable[Any]) -> bool:
    """Whether Terraform finds one type for all (cty's `convert.Unify`); numbers and bools may be strings."""
    known = [value for value in values if value is not None]
    if not known:
        return True
    if all(isinstance(value, Mapping) for value in known):
        if len({frozenset(value) for value in known}) == 1:
            return all(_unify(value[key] for value in known) for key in known[0])
        return _unify(item for value in known for item in value.values())
    if all(isinstance(value, list | tuple) for value in known):
        if len({len(value) for value in known}) == 1:
            return all(_unify(column) for column in zip(*known, strict=True))
        return _unify(item for value in known for item in value)
    kinds = {_kind(value) for value in known}
    return kinds <= {"a string", "a number", "a bool"} and (len(kinds) == 1 or "a string" in kinds)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple | set | frozenset) else "a number"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d][\w-]*", name) else f'"{name}"'


def _attribute(item: ObjectAttribute) -> str:
    if not item.optional:
        return render(item.type)
    return f"optional({render(item.type)}{f', {item.default}' if item.default else ''})"


class _Reader:
    """Recursive descent over the tokens of one constraint; newlines and commas separate alike."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.index = text, where, 0
        found = (match for match in _TOKEN.finditer(text) if match.lastgroup != "skip")
        self.tokens = [(match.group(), match.start()) for match in found]

    @property
    def next(self) -> str:
        return self.tokens[self.index][0] if self.index < len(self.tokens) else ""

    def expect(self, token: str) -> None:
        self.skip("\n")
        if self.next != token:
            raise self.error(f"expected `{token}`" if token else "expected its end")
        self.index += 1

    def skip(self, signs: str) -> str:
        while self.next and self.next in signs:
            self.index += 1
        return self.next

    def error(self, why: str) -> UsageError:
        got = f"`{self.next}`" if self.next.strip() else "the end"
        return UsageError(f"`{self.text.strip()}` is not a type", where=self.where, why=f"{why}, found {got}")

    def type(self) -> Type:
        self.skip("\n")
        word = self.next
        self.index += 1
        if self.next != "(":
            if word.strip('"') not in _WORDS:
                self.index -= 1
                raise self.error("expected a type")
            return _WORDS[word.strip('"')]
        self.index += 1
        found = self.constructor(word)
        self.skip("\n,")
        self.expect(")")
        return found

    def constructor(self, word: str) -> Type:
        match word:
            case "list" | "set" | "map":
                return Collection(word, self.type())
            case "object":
                return Structure(self.attributes())
            case "tuple":
                return Sequence(self.elements())
        self.index -= 2
        raise self.error("expected a type")

    def elements(self) -> tuple[Type, ...]:
        self.expect("[")
        found = []
        while self.skip("\n,") != "]":
            found.append(self.type())
        self.index += 1
        return tuple(found)

    def attributes(self) -> dict[str, ObjectAttribute]:
        self.expect("{")
        found: dict[str, ObjectAttribute] = {}
        while self.skip("\n,") != "}":
            name = self.next.strip('"')
            if not re.match(r'["\w]', self.next):
                raise self.error("expected the name of an attribute")
            if name in found:
                raise self.error("the attribute is there twice")
            self.index += 1
            self.index += self.next in {"=", ":"}
            found[name] = self.attribute()
        self.index += 1
        return found

    def attribute(self) -> ObjectAttribute:
        if self.next != "optional":
            return ObjectAttribute(self.type())
        self.index += 1
        self.expect("(")
        inner = self.type()
        self.skip("\n")
        default = self.default() if self.next == "," else ""
        self.expect(")")
        return ObjectAttribute(inner, optional=True, default=default)

    def default(self) -> str:
        """The text of the default: everything up to the bracket that closes `optional(`."""
        self.index += 1
        start, depth = self.index, 0
        while self.next and (depth or self.next != ")"):
            depth += (self.next in {"(", "[", "{"}) - (self.next in {")", "]", "}"})
            self.index += 1
        end = self.tokens[self.index][1] if self.next else len(self.text)
        return self.text[self.tokens[start][1] : end].strip() if start < self.index else ""
