"""Converts Terraform's JSON syntax (.tf.json) to HCL, with the line of the JSON for each line.

In JSON a nested object may be an argument or a block, which only a provider's schema shows: it becomes both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngp.catalogue import scanning
from ngp.errors import UsageError

_TOKEN = re.compile(r'[ \t\r\n]*(?:("(?:[^"\\\x00-\x1f]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([{}\[\]:,]))')
_NAME = re.compile(r"[^\W\d][\w-]*")
# block type → the number of its labels; all others are arguments or blocks without labels
_LABELS = {
    "backend": 1, "check": 1, "data": 2, "dynamic": 1, "ephemeral": 2, "module": 1, "output": 1, "provider": 1,
    "provider_meta": 1, "provisioner": 1, "resource": 2, "variable": 1,
}  # fmt: skip
# block type → the arguments whose texts are references, or types, and no templates
_PLAIN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("data", "ephemeral", "resource"), frozenset({"depends_on", "provider"})),
    **dict.fromkeys(("import", "moved", "removed"), frozenset({"from", "provider", "to"})),
    "lifecycle": frozenset({"ignore_changes", "replace_triggered_by"}),
    "module": frozenset({"depends_on", "providers"}),
    "output": frozenset({"depends_on"}),
    "variable": frozenset({"type"}),
}
# block type → the blocks that it may hold; others hold what their provider's schema says
_HELD: Mapping[str, frozenset[str]] = {
    "locals": frozenset(),
    "module": frozenset(),
    "output": frozenset({"precondition"}),
    "required_providers": frozenset(),
    "variable": frozenset({"validation"}),
}
_NESTED = frozenset({"backend", "dynamic", "provider_meta", "provisioner", "required_providers"})
_TOP = frozenset({"import", "locals", "moved", "removed", "terraform", *_LABELS})


@dataclass(frozen=True)
class _Node:
    """A JSON value: `value` is a list of members (an object), of nodes (an array), or a text."""

    kind: str  # object, array, string, other
    value: Any
    line: int


@dataclass
class _Writer:
    path: Path
    rows: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def put(self, text: str, line: int) -> None:
        for row in text.split("\n"):
            self.rows.append(row)
            self.lines.append(line)

    def body(self, node: _Node, block_type: str = "") -> None:
        """Write what stands in a block, or in the file where there is no block type."""
        for each in _objects(node):
            for name, line, value in each.value:
                if name == "//":
                    continue
                if not block_type and name not in _TOP:
                    raise UsageError(f"`{name}` is not a block type", where=f"{self.path}:{line}")
                if not block_type or name in _NESTED:
                    self.blocks(name, (), _LABELS.get(name, 0), value)
                else:
                    self.argument(name, line, value, block_type)

    def argument(self, name: str, line: int, value: _Node, block_type: str) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(f"`{name}` is not a valid name", where=f"{self.path}:{line}")
        self.put(f"{name} = {self.expression(value, is_plain=name in _PLAIN.get(block_type, ()))}", line)
        for each in _objects(value) if name in _HELD.get(block_type, {name}) else ():
            if all(_NAME.fullmatch(key) for key, _, _ in each.value):
                self.blocks(name, (), 0, each)

    def blocks(self, name: str, labels: tuple[str, ...], count: int, value: _Node) -> None:
        for each in _objects(value):
            if count:
                for label, _, inner in each.value:
                    self.blocks(name, (*labels, label), count - 1, inner)
                continue
            label_text = "".join(f" {json.dumps(label)}" for label in labels)
            self.put(f"{name}{label_text} {{", each.line)
            self.body(each, name)
            self.put("}", each.line)

    def expression(self, node: _Node, *, is_plain: bool = False) -> str:
        """HCL in one row, if no interpolation holds a new line."""
        if node.kind == "object":
            inner = ", ".join(
                f"{_quoted(key)} = {self.expression(value, is_plain=is_plain)}" for key, _, value in node.value
            )
            return f"{{ {inner} }}"
        if node.kind == "array":
            return f"[{', '.join(self.expression(each, is_plain=is_plain) for each in node.value)}]"
        if node.kind == "other":
            return str(node.value)
        return node.value if is_plain else self.template(node)

    def template(self, node: _Node) -> str:
        text = node.value
        start = len("x = <<NGP_JSON\n")
        try:
            scanned = scanning.scan(f"x = <<NGP_JSON\n{text}\nNGP_JSON\n", self.path)
        except UsageError as error:
            raise UsageError(error.findings[0].what, where=f"{self.path}:{node.line}") from None
        parts, position = [], 0
        for first, last in scanned.templates[4].interpolations:
            first, last = first - start, last - start
            parts += [_quoted(text[position:first])[1:-1], text[first:last]]
            position = last
        if len(parts) == 2 and not parts[0] and position == len(text) and text.startswith("${"):
            return f"({text[2:-1]})" if "\n" in text else text[2:-1].strip()
        return f'"{"".join(parts)}{_quoted(text[position:])[1:-1]}"'


def translate(text: str, path: Path) -> tuple[str, tuple[int, ...]]:
    """Return HCL and, for each of its lines, the line of the JSON. Raises UsageError with file:line."""
    writer = _Writer(path)
    try:
        writer.body(_Reader(text, path).read())
    except RecursionError:
        raise UsageError("this is nested too deeply", where=str(path)) from None
    return "\n".join([*writer.rows, ""]), (*writer.lines, 1)


class _Reader:
    """Reads JSON with the lines of its values."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path, self.position, self.line = text.removeprefix("\ufeff"), path, 0, 1
        self.token = ""
        self.advance()

    def read(self) -> _Node:
        node = self.value()
        if self.token:
            raise self.error()
        if node.kind not in {"object", "array"}:
            raise self.error()
        return node

    def advance(self) -> str:
        """Step to the next token; return the one before."""
        before = self.token
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            if self.text[self.position :].strip():
                raise self.error()
            self.token = ""
            return before
        self.token = next(filter(None, match.groups()))
        self.line += self.text.count("\n", self.position, match.end())
        self.position = match.end()
        return before

    def value(self) -> _Node:
        line, token = self.line, self.advance()
        if token.startswith('"'):
            return _Node("string", self.string(token), line)
        if token == "{":
            return _Node("object", list(self.members()), line)
        if token == "[":
            return _Node("array", list(self.items()), line)
        if not token or token in "}]:,":
            raise self.error()
        return _Node("other", token, line)

    def members(self) -> Iterator[tuple[str, int, _Node]]:
        while self.token != "}":
            line, name = self.line, self.advance()
            if not name.startswith('"') or self.advance() != ":":
                raise self.error()
            yield self.string(name), line, self.value()
            self.separate("}")
        self.advance()

    def items(self) -> Iterator[_Node]:
        while self.token != "]":
            yield self.value()
            self.separate("]")
        self.advance()

    def separate(self, end: str) -> None:
        if self.token == ",":
            self.advance()
            if self.token == end:
                raise self.error()
        elif self.token != end:
            raise self.error()

    def string(self, token: str) -> str:
        try:
            return str(json.loads(token))
        except ValueError:
            raise self.error() from None

    def error(self) -> UsageError:
        return UsageError("this is not JSON", where=f"{self.path}:{self.line}")


def _objects(node: _Node) -> Iterator[_Node]:
    """Return the objects of a block: one, or those of a list."""
    if node.kind == "object":
        yield node
    elif node.kind == "array":
        for each in node.value:
            yield from _objects(each)


def _quoted(text: str) -> str:
    """Text as it stands between quotes in HCL; what escapes an interpolation stays."""
    escaped = json.dumps(text, ensure_ascii=False)
    return escaped.replace("\\b", "\\u0008").replace("\\f", "\\u000c")
