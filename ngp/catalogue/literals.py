"""HCL literals: converts expressions to Python values and back; no value can break out of the HCL."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ngp.catalogue.scanning import Scanned, Template
from ngp.errors import UsageError

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_ESCAPE = re.compile(r'\\(?:([ntr"\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))|\$\$+\{?|%%+\{?', re.DOTALL)
_DOUBLED = re.compile(r"\$\$+\{?|%%+\{?")  # matches a whole run at once; otherwise a long one takes quadratic time
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f]|[$%]\{|[^\x00-\x7f]')
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_KEYWORDS = frozenset({"true", "false", "null", "for", "if", "in", "else", "endif", "endfor", "for_each"})
_WIDTH = 100  # a longer list has one element per line


def unwrap(node: Any) -> Any:
    """Return the node without its terms and parentheses."""
    while node.data == "expr_term":
        inner = [child for child in node.children if hasattr(child, "data") and child.data != "new_line_or_comment"]
        node = inner[0]
    return node


def evaluate(node: Any, scanned: Scanned) -> Any:
    """Return the value of a literal expression. Raises UsageError with file:line for anything else."""
    node = unwrap(node)
    match node.data:
        case "string" | "heredoc_template" | "heredoc_template_trim":
            return string(scanned.templates[node.meta.start_pos], scanned)
        case "int_lit" | "float_lit" | "unary_op":
            return _number(node, scanned)
        case "literal_value":
            return {"true": True, "false": False, "null": None}[str(node.children[0])]
        case "tuple":
            return [evaluate(child, scanned) for child in node.children if _is_value(child)]
        case "object":
            return _object(node, scanned)
    raise _no_literal(node, scanned)


def object_elements(node: Any, scanned: Scanned) -> list[Any]:
    """Return the elements of an object's node. Raises UsageError if two are not separated by comma or line."""
    found: list[Any] = []
    is_parted = True
    for child in node.children[1:-1]:
        if hasattr(child, "data") and child.data == "object_elem":
            # The grammar gives a new line after an operation to the operation.
            is_parted = is_parted or scanned.source[: child.meta.start_pos].rstrip(" \t").endswith("\n")
            if not is_parted:
                raise UsageError("a comma or a new line is missing", where=scanned.where(child.meta.start_pos))
            found.append(child)
        is_parted = not (hasattr(child, "data") and child.data == "object_elem")
    return found


def key(node: Any, scanned: Scanned) -> str:
    """Return the name of a key: an identifier, a string, a number, or a literal in parentheses."""
    inner = node.children[0]
    bare = unwrap(inner) if inner.data != "keyword" else inner
    is_word = bare.data in {"identifier", "keyword", "literal_value"}
    if is_word and (inner.data == "keyword" or inner.children[0] is bare):
        return scanned.source[bare.meta.start_pos : bare.meta.end_pos]
    value = evaluate(inner, scanned)
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | dict):
        raise UsageError("this cannot be a key", where=scanned.where(node.meta.start_pos))
    return str(value).lower() if isinstance(value, bool) else number(value)


def string(template: Template, scanned: Scanned) -> str:
    """Return the content of a quoted string or a heredoc without interpolation."""
    where = scanned.where(template.start)
    if not template.is_literal:
        raise UsageError(
            "only a literal value is allowed here", where=where, why="the string has an interpolation in it"
        )
    text = scanned.source[slice(*template.inner)]
    if not template.is_heredoc:
        return _ESCAPE.sub(lambda match: _unescape(match, where), text)
    if template.is_indented:
        text = _unindent(text)
    return _DOUBLED.sub(_undouble, text)


def _unescape(match: re.Match[str], where: str) -> str:
    plain, short, long, unknown = match.groups()
    if plain:
        return _PLAIN[plain]
    if match.group()[0] != "\\":
        return _undouble(match)
    code = int(short or long, 16) if short or long else -1
    if unknown is not None or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise UsageError(
            f"`{match.group()}` is not an escape sequence", where=where, todo="write a backslash as `\\\\`"
        )
    return chr(code)


def _undouble(match: re.Match[str]) -> str:
    """Of several $ or % before a brace, one is the escape."""
    run = match.group()
    return run[1:] if run.endswith("{") else run


def _unindent(text: str) -> str:
    """Take the smallest indentation off all lines; lines of blanks neither count nor change."""
    lines = re.findall(r"[^\n]*\n", text)
    solid = [line for line in lines if line.strip()]
    width = min((len(line) - len(line.lstrip()) for line in solid), default=0)
    return "".join(line[width:] if line.strip() else line for line in lines)


def _number(node: Any, scanned: Scanned) -> int | Decimal:
    text = re.sub(r"[\s()]", "", scanned.text[node.meta.start_pos : node.meta.end_pos])
    if not _NUMBER.fullmatch(text):
        raise _no_literal(node, scanned)
    exact = Decimal(text)
    return exact if re.search(r"[.eE]", text) else int(exact)


def _object(node: Any, scanned: Scanned) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for element in object_elements(node, scanned):
        name = key(element.children[0], scanned)
        if name in found:
            raise UsageError(f"`{name}` is defined twice", where=scanned.where(element.meta.start_pos))
        found[name] = evaluate(element.children[2], scanned)
    return found


def _is_value(child: Any) -> bool:
    return hasattr(child, "data") and child.data != "new_line_or_comment"


def _no_literal(node: Any, scanned: Scanned) -> UsageError:
    text = scanned.source[node.meta.start_pos : node.meta.end_pos].split("\n")[0][:60]
    where = scanned.where(node.meta.start_pos)
    return UsageError("only a literal value is allowed here", where=where, why=f"`{text}` is an expression")


def render(value: Any, indent: int = 0) -> str:
    """Write a value as an HCL literal; its lines but the first are indented by `indent` more.

    Takes None, bool, int, float, Decimal, str, lists and mappings with string keys; raises ValueError for what
    HCL cannot say (NaN, infinity, lone surrogates) and TypeError for other types.
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return _render_object(value, indent)
    if isinstance(value, list | tuple):
        return _render_list(value, indent)
    raise TypeError(f"{type(value).__name__} has no form in HCL")


def number(value: int | float | Decimal) -> str:
    """Return a number with all its digits."""
    if isinstance(value, int):
        return str(Decimal(value))  # Python's own str() refuses more than 4300 digits
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        raise ValueError(f"{value} is not a number in HCL")
    _, digits, exponent = exact.as_tuple()
    is_short = isinstance(exponent, int) and -40 < exponent <= 40 and len(digits) < 400
    return format(exact, "f") if is_short else str(exact)


def quote(text: str) -> str:
    """Return a string in quotes, on one line."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    sign = match.group()
    if len(sign) == 2:
        return sign[0] + sign  # ${ and %{
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}.get(sign)
    if named:
        return named
    category = unicodedata.category(sign)
    if category == "Cs":
        raise ValueError("a lone surrogate is not a character")
    if category.startswith("C") or category in {
        "Zl",
        "Zp",
    }:  # what an editor would not show, or show elsewhere
        return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
    return sign


def _render_list(value: list[Any] | tuple[Any, ...], indent: int) -> str:
    inner = [render(item, indent + 2) for item in value]
    line = f"[{', '.join(inner)}]"
    if len(line) + indent <= _WIDTH and "\n" not in line:
        return line
    pad = " " * (indent + 2)
    return "[\n" + "".join(f"{pad}{item},\n" for item in inner) + " " * indent + "]"


def _render_object(value: Mapping[str, Any], indent: int) -> str:
    if not value:
        return "{}"
    names = {key: render_key(key) for key in value}
    inner = {key: render(item, indent + 2) for key, item in value.items()}
    pad, lines = " " * (indent + 2), []
    for group in _aligned(list(value), inner):
        width = max(len(names[key]) for key in group)
        lines += [f"{pad}{names[key].ljust(width)} = {inner[key]}\n" for key in group]
    return "{\n" + "".join(lines) + " " * indent + "}"


def render_key(key: str) -> str:
    """Return the key of an object's element, quoted unless it is an identifier."""
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__}")
    return key if _IDENTIFIER.fullmatch(key) and key not in _KEYWORDS else quote(key)


def _aligned(keys: list[str], values: Mapping[str, str]) -> list[list[str]]:
    """Runs of keys whose `=` stand in one column: `terraform fmt` breaks them at values of several lines."""
    groups: list[list[str]] = [[]]
    for key in keys:
        if "\n" in values[key]:
            groups += [[key], []]
        else:
            groups[-1].append(key)
    return [group for group in groups if group]
