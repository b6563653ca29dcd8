"""Parses HCL with python-hcl2: attributes and blocks with their positions and exact source.

Only its tree is used, because `hcl2.loads` gives wrong results in threads. What it wrongly accepts is refused here.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ngp import conflicts
from ngp.catalogue import literals, scanning
from ngp.catalogue.literals import render as render
from ngp.catalogue.scanning import Scanned
from ngp.errors import UsageError

_STRING = re.compile(r'"[^"]*"?')


@dataclass(frozen=True)
class Span:
    """Offsets into the parsed text in characters; `end` is exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Attribute:
    """``name = value``, in a body or in an object. `text` is the exact source of the value's expression."""

    name: str
    line: int
    span: Span
    name_span: Span
    value_span: Span
    text: str
    node: Any = field(repr=False, compare=False)
    scanned: Scanned = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        return f"{self.scanned.path}:{self.line}"

    @property
    def code(self) -> str:
        """`text` with blanks for comments and the literal parts of templates, so that only code is left."""
        return self.scanned.code[self.value_span.start : self.value_span.end]

    @property
    def comment_span(self) -> Span:
        """The span of the comment lines directly above (empty, at the start of the line, if there are none)."""
        return _comment_span(self.scanned, self.scanned.row(self.span.start))

    @property
    def comment(self) -> tuple[str, ...]:
        """The comment lines directly above, without ``# ``."""
        span = self.comment_span
        lines = self.scanned.source[span.start : span.end].splitlines()
        return tuple(line.strip().lstrip("#/").removeprefix(" ").rstrip() for line in lines)


@dataclass(frozen=True)
class Block:
    type: str
    labels: tuple[str, ...]
    line: int
    span: Span
    body: Body
    scanned: Scanned = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        return f"{self.scanned.path}:{self.line}"


@dataclass(frozen=True)
class Body:
    """The content of a file or of a block, in order."""

    items: tuple[Attribute | Block, ...]

    @property
    def attributes(self) -> dict[str, Attribute]:
        return {item.name: item for item in self.items if isinstance(item, Attribute)}

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(item for item in self.items if isinstance(item, Block))

    def of(self, block_type: str) -> tuple[Block, ...]:
        """Return the blocks of one type."""
        return tuple(block for block in self.blocks if block.type == block_type)


def load(path: Path) -> Body:
    """Load a file. Raises UsageError with file:line if it is not HCL."""
    return parse(read(path), path)


def read(path: Path) -> str:
    """Return the text of a file with its line ends. Raises UsageError if it is not UTF-8."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        raise UsageError("this file does not exist", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise UsageError("this file is not UTF-8", where=str(path), why=str(error)) from None


def parse(text: str, path: Path) -> Body:
    """Parse HCL; `path` is for messages only. Raises UsageError with file:line if it is not HCL."""
    try:
        scanned = _scan(text, path)
        return _body(_tree(scanned).children[0], scanned)
    except RecursionError:
        raise UsageError("this is nested too deeply", where=str(path)) from None
    except UsageError as error:
        raise conflicts.explain(text, path) or error from None


def _scan(text: str, path: Path) -> Scanned:
    if not path.name.endswith(".tf.json"):
        return scanning.scan(text, path)
    from ngp.catalogue import json_syntax

    made, origins = json_syntax.translate(text, path)
    try:
        return replace(scanning.scan(made, path), origins=origins)
    except UsageError as error:
        raise UsageError(error.findings[0].what, where=str(path), why=error.findings[0].why) from None


def literal(attribute: Attribute) -> Any:
    """Return the value of a literal expression (str, int, Decimal, bool, None, list, dict). Raises UsageError."""
    try:
        return literals.evaluate(attribute.node, attribute.scanned)
    except RecursionError:
        raise UsageError("this is nested too deeply", where=attribute.where) from None


def elements(attribute: Attribute) -> dict[str, Attribute]:
    """Return the entries of an object literal, by key. Raises UsageError with file:line if it is not one."""
    node = literals.unwrap(attribute.node)
    if node.data != "object":
        raise UsageError(f"`{attribute.name}` must be an object", where=attribute.where)
    found: dict[str, Attribute] = {}
    for element in literals.object_elements(node, attribute.scanned):
        key_node, _, value_node = element.children
        name = literals.key(key_node, attribute.scanned)
        _add(found, _attribute(name, key_node, value_node, attribute.scanned))
    return found


def _tree(scanned: Scanned) -> Any:
    import hcl2
    from lark.exceptions import UnexpectedInput

    try:
        with _without_gc():
            return hcl2.parses_to_tree(scanned.grammatical)
    except UnexpectedInput as error:
        raise _syntax_error(error.pos_in_stream, scanned) from None


def _syntax_error(offset: int | None, scanned: Scanned) -> UsageError:
    rest = scanned.text[offset:].lstrip() if offset is not None else ""
    at = len(scanned.text) - len(rest) if rest else len(scanned.source.rstrip())
    line = _STRING.sub('"…"', scanned.source[at:].split("\n", 1)[0].strip())[:40]  # a secret may stand there
    why = f"unexpected `{line}`" if rest else "it ends too soon"
    return UsageError("this is not HCL", where=scanned.where(at), why=why)


@contextmanager
def _without_gc() -> Iterator[None]:
    """The tree is all live objects: collecting while it grows takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _body(node: Any, scanned: Scanned) -> Body:
    items: list[Attribute | Block] = []
    names: dict[str, Attribute] = {}
    for child in node.children:
        if child.data == "new_line_or_comment":
            continue
        if items and scanned.row(child.meta.start_pos) == scanned.row(items[-1].span.end):
            raise UsageError("a new line is missing before this", where=scanned.where(child.meta.start_pos))
        if child.data == "block":
            items.append(_block(child, scanned))
        else:
            name_node, _, value_node = child.children
            attribute = _attribute(source(name_node, scanned), name_node, value_node, scanned)
            _add(names, attribute)
            items.append(attribute)
    return Body(tuple(items))


def _block(node: Any, scanned: Scanned) -> Block:
    header = [child for child in node.children if _is_tree(child) and child.data not in {"body", "new_line_or_comment"}]
    body_node = next(child for child in node.children if _is_tree(child) and child.data == "body")
    brace = next(child for child in node.children if not _is_tree(child) and child.type == "LBRACE")
    start, end = header[0].meta.start_pos, node.meta.end_pos
    body = _body(body_node, scanned)
    first, last, opening = scanned.row(start), scanned.row(end - 1), scanned.row(brace.start_pos)
    if first != opening:
        raise UsageError("the brace of a block must be in the line of its name", where=scanned.where(brace.start_pos))
    if body.items and scanned.row(body.items[0].span.start) == opening and not _fits_one_line(body, last):
        raise UsageError("a block in one line can hold one attribute only", where=scanned.where(start))
    labels = tuple(_label(child, scanned) for child in header[1:])
    name = source(header[0], scanned)
    return Block(name, labels, scanned.line(start), Span(start, end), body, scanned)


def _fits_one_line(body: Body, last: int) -> bool:
    only = body.items[0]
    return len(body.items) == 1 and isinstance(only, Attribute) and only.scanned.row(only.span.end) == last


def _label(node: Any, scanned: Scanned) -> str:
    if node.data == "string":
        return literals.string(scanned.templates[node.meta.start_pos], scanned)
    return source(node, scanned)


def _attribute(name: str, name_node: Any, value_node: Any, scanned: Scanned) -> Attribute:
    names, values = _span(name_node, scanned), _span(value_node, scanned)
    text = scanned.source[values.start : values.end]
    span = Span(names.start, values.end)
    return Attribute(name, scanned.line(names.start), span, names, values, text, value_node, scanned)


def _add(known: dict[str, Attribute], attribute: Attribute) -> None:
    if attribute.name in known:
        first = f"the first is in line {known[attribute.name].line}"
        raise UsageError(f"`{attribute.name}` is defined twice", where=attribute.where, why=first)
    known[attribute.name] = attribute


def _span(node: Any, scanned: Scanned) -> Span:
    """Offsets in the source: a template is longer than the empty string that the tree has in its place."""
    start = node.meta.start_pos
    end = start + len(scanned.text[start : node.meta.end_pos].rstrip())  # an operation's node has the next newline
    template = scanned.templates.get(end - 2)
    return Span(start, template.end if template else end)


def source(node: Any, scanned: Scanned) -> str:
    """Return the exact text of a node of the tree."""
    span = _span(node, scanned)
    return scanned.source[span.start : span.end]


def _is_tree(child: Any) -> bool:
    return hasattr(child, "data")


def _comment_span(scanned: Scanned, line: int) -> Span:
    end = start = scanned.line_start(line)
    while line > 1:
        line -= 1
        begin = scanned.line_start(line)
        if not scanned.source[begin:start].lstrip().startswith(("#", "//")):
            break
        start = begin
    return Span(start, end)
