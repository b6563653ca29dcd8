"""Rewrites HCL text, offset by offset, so that python-hcl2 sees new lines as Terraform does.

Terraform ignores a new line inside parentheses, brackets and `for` expressions, takes it for a comma in an object,
and for the end of an expression elsewhere ("Expressions and Newlines" of the native syntax). The grammar of
python-hcl2 allows new lines at some places in the wrong ones, and misses others. It also knows neither
`core::upper()` nor `!!x`, nor a minus directly before a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ngp.errors import UsageError

_TOKEN = re.compile(
    r"\n|[^\W\d][\w-]*(?:\s*::\s*[^\W\d][\w-]*)*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
    r'|""|\.\.\.|\.\s*\*|\[\s*\*\s*\]|[=!<>]=|=>|&&|\|\||[^\s\w]'
)
_BEFORE_OPERAND = frozenset({*"+-*/%<>!?:=.", "==", "!=", "<=", ">=", "&&", "||", "=>"})
_AFTER_OPERAND = frozenset({*"+*/%<>?:=.", "==", "!=", "<=", ">=", "&&", "||", "=>", "..."})
_SIGNS = frozenset({"-", "!"})
_CLOSING = frozenset({")", "]", "}"})


@dataclass
class _Level:
    """What stands between two brackets: a body, an object, or anything else."""

    kind: str  # body, object, free
    is_in_value: bool = False  # of a body: behind the `=`


@dataclass
class _Rewriter:
    text: str
    path: Path
    parts: list[str] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level("body")])
    last: str = ""  # the token before, without new lines
    signs: list[int] = field(default_factory=list)  # where the parts of the unary signs directly before stand

    def run(self) -> str:
        position = 0
        for match in _TOKEN.finditer(self.text):
            self.parts.append(self.text[position : match.start()])
            position = match.end()
            token = match.group()
            if token == "\n":
                self.parts.append(self.newline(match.start()))
                continue
            if "\n" in token and self.levels[-1].kind != "free":
                raise self.split(match.start() + token.index("\n"))
            self.parts.append("+" if self.is_glued_minus(token, match.end()) else _plain(token))
            self.sign(token)
            self.bracket(token, match.end())
            self.last = token
        self.parts.append(self.text[position:])
        return "".join(self.parts)

    def newline(self, offset: int) -> str:
        """Return what stands in place of a new line; raise UsageError where it splits an expression."""
        level = self.levels[-1]
        if level.kind == "free":
            return " "
        match = _TOKEN.search(self.text, _blank_end(self.text, offset))
        following = match.group() if match else ""
        is_split = self.last in _BEFORE_OPERAND or following in _AFTER_OPERAND
        if level.kind == "object":
            if is_split:
                raise self.split(offset)
            if self.last in {"{", ","} or following == "}":
                return " "
            self.last = ","
            return ","
        if level.is_in_value and (is_split or following in _SIGNS):
            raise self.split(offset)
        level.is_in_value = False
        return "\n"

    def split(self, offset: int) -> UsageError:
        where = f"{self.path}:{self.text.count(chr(10), 0, offset) + 1}"
        if self.last == "=":
            return UsageError("the value after `=` is missing", where=where, todo="write it in the same line")
        why = "outside of parentheses and brackets a new line ends it"
        todo = "put it in one line, or in parentheses"
        return UsageError("a new line splits this expression", where=where, why=why, todo=todo)

    def sign(self, token: str) -> None:
        """Take away a double `!` or unary `-`, which the grammar does not know."""
        is_unary = token in _SIGNS and (token == "!" or self.is_before_operand())
        if not is_unary:
            self.signs.clear()
        elif self.signs and self.parts[self.signs[-1]] == token:
            self.parts[self.signs.pop()] = self.parts[-1] = " "
        else:
            self.signs.append(len(self.parts) - 1)

    def is_glued_minus(self, token: str, end: int) -> bool:
        """Whether this is the operator in `a -25`: the grammar takes `-25` for a number. Both operators bind alike."""
        return token == "-" and not self.is_before_operand() and self.text[end : end + 1].isdigit()

    def is_before_operand(self) -> bool:
        return self.last in _BEFORE_OPERAND or self.last in {"", "(", "[", "{", ",", "in", "if"}

    def bracket(self, token: str, end: int) -> None:
        level = self.levels[-1]
        if token == "=":
            level.is_in_value = True
        elif token in {"(", "["}:
            self.levels.append(_Level("free"))
        elif token == "{":
            self.levels.append(_Level(self.brace(level, end)))
        elif token in _CLOSING and len(self.levels) > 1:
            self.levels.pop()

    def brace(self, level: _Level, end: int) -> str:
        if level.kind == "body" and not level.is_in_value:
            return "body"
        match = _TOKEN.search(self.text, _blank_end(self.text, end))
        return "free" if match and match.group() == "for" else "object"


def rewrite(text: str, path: Path) -> str:
    """Return the text at its old length. Raises UsageError with file:line if a new line splits an expression."""
    return _Rewriter(text, path).run()


def _plain(token: str) -> str:
    """The token as the grammar knows it: `a::b` as one name, a splat without blanks."""
    if "::" in token:
        return re.sub(r"[^\w-]", "_", token)
    if token[-1] in "*]" and len(token) > 1:
        return re.sub(r"\s", "", token).ljust(len(token))
    return token


def _blank_end(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
