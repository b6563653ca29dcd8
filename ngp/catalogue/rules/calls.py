"""Calls of functions in an expression, found by its text alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp.catalogue import hcl, scanning
from ngp.catalogue.scanning import Template
from ngp.errors import UsageError

_SPACE = re.compile(r"(?:\s|#[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_WHOLE = re.compile(r"(?:core::)?(\w*)\s*\(")


@dataclass(frozen=True)
class Expression:
    """An expression. `code` is `text` with blanks for comments and literal texts, `around` the code of all of it."""

    text: str
    code: str
    around: str

    @classmethod
    def of(cls, attribute: hcl.Attribute) -> Expression:
        """Return the expression of an attribute."""
        return cls(attribute.text, attribute.code, attribute.code)

    def part(self, start: int, end: int) -> Expression:
        return Expression(self.text[start:end], self.code[start:end], self.around)

    def bare(self) -> Expression:
        """Return the expression without what changes nothing: space, comments, parentheses, and ``"${…}"``."""
        found = self.stripped()
        while True:
            inner = found.inner()
            if inner is None:
                return found
            found = inner.stripped()

    def calls(self, function: re.Pattern[str]) -> Iterator[Call]:
        """Yield the calls of functions, without those in other such calls; group 1 is the function's name."""
        position = 0
        while match := function.search(self.code, position):
            arguments, position = self._arguments(match.end())
            yield Call(match[1], arguments, match.start(), position)

    def call(self) -> Call | None:
        """Return the call that the whole expression is; None if it is not one."""
        match = _WHOLE.match(self.code)
        if not match or not match[1]:
            return None
        arguments, end = self._arguments(match.end())
        return Call(match[1], arguments, 0, end) if end == len(self.code) else None

    def template(self) -> Template | None:
        """Return the quoted text that the whole expression is; None if it is not one."""
        if not self.text.startswith('"'):
            return None
        try:
            found = scanning.scan(self.text, Path("expression")).templates.get(0)
        except UsageError:
            return None
        return found if found and found.end == len(self.text) else None

    def interpolated(self, span: tuple[int, int]) -> Expression | None:
        """Return what stands in ``${…}``; None for a directive."""
        first, last = span
        if self.text[first] != "$":
            return None
        return self.part(first + 2 + (self.text[first + 2] == "~"), last - 1 - (self.text[last - 2] == "~"))

    def stripped(self) -> Expression:
        """Return the expression without the space and the comments around it."""
        match = _SPACE.match(self.text)
        start, end = match.end() if match else 0, len(self.text.rstrip())
        if not self.text.rstrip().endswith('"'):
            end = len(self.code.rstrip())  # without a comment behind
        return self.part(start, max(start, end))

    def inner(self) -> Expression | None:
        """Return what stands in the parentheses, or in the ``"${…}"``, that the whole expression is; None without."""
        template = self.template()
        if template and template.interpolations == (template.inner,):
            return self.interpolated(template.inner)
        if self.code.startswith("(") and self._arguments(1)[1] == len(self.code):
            return self.part(1, len(self.code) - 1)
        return None

    def _arguments(self, start: int) -> tuple[Sequence[Expression], int]:
        """Return the arguments behind an opening bracket, and the offset behind its end."""
        depth, begin, found = 1, start, []
        for position in range(start, len(self.code)):
            sign = self.code[position]
            depth += (sign in "([{") - (sign in ")]}")
            if depth == 0 or (sign == "," and depth == 1):
                found.append(self.part(begin, position))
                begin = position + 1
            if depth == 0:
                return found, begin
        return found, len(self.code)


@dataclass(frozen=True)
class Call:
    """A call of a function, from `start` to `end` in its expression."""

    name: str
    arguments: Sequence[Expression]
    start: int
    end: int

    @property
    def whole(self) -> str:
        """The code of all arguments."""
        return ",".join(each.code for each in self.arguments)
