"""Finds the strings, heredocs and comments of an HCL text (HCL native syntax, "Lexical Elements").

python-hcl2 lexes templates with regular expressions that go astray (an escaped ``$${`` swallows text up to
the next brace, wherever it is) and knows ASCII identifiers only. So `Scanned.text` has
empty strings for templates and blanks for comments, at the same offsets; what templates hold is read here. The parser
is given `Scanned.grammatical`, in which new lines also are what Terraform takes them for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ngp.catalogue import newlines
from ngp.errors import UsageError

_CODE = re.compile(r'"|#|//|/\*|[{}]|<<(-?)([^\W\d][\w-]*)\r?\n|[^\x00-\x7f]+')
_QUOTED = re.compile(r'(?:[^"\\$%\n]+|\\[^\n]|\$(?!\{)\$*\{?|%(?!\{)%*\{?)*')
_HEREDOC = re.compile(r"(?:[^$%\n]+|\$(?!\{)\$*\{?|%(?!\{)%*\{?)*")


@dataclass(frozen=True)
class Template:
    """A quoted string or a heredoc. `start` to `end` includes its delimiters, `inner` is the content."""

    start: int
    end: int
    inner: tuple[int, int]
    is_literal: bool  # neither interpolation nor directive
    is_heredoc: bool = False
    is_indented: bool = False  # <<-
    interpolations: tuple[tuple[int, int], ...] = ()  # and directives, each with its marks


@dataclass(frozen=True)
class Scanned:
    """Texts of equal length: `code` keeps the content of interpolations, `grammatical` is for the parser."""

    source: str
    path: Path
    text: str
    grammatical: str
    code: str
    templates: Mapping[int, Template]  # by start, outermost only
    origins: tuple[int, ...] = ()  # of a text that was made from another: the line there of each row here

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.source))]

    def row(self, offset: int) -> int:
        """Return the row of an offset in `source`, from 1."""
        return bisect_right(self._line_starts, offset)

    def line(self, offset: int) -> int:
        """Return the line of an offset in the file, from 1."""
        row = self.row(offset)
        return self.origins[row - 1] if self.origins else row

    def line_start(self, line: int) -> int:
        return self._line_starts[line - 1]

    def where(self, offset: int) -> str:
        return f"{self.path}:{self.line(offset)}"


def scan(source: str, path: Path) -> Scanned:
    """Scan a text. Raises UsageError with file:line for a template or a comment without end."""
    scanner = _Scanner(source, path)
    try:
        scanner.code(source.startswith("\ufeff"), is_outermost=True)
    except RecursionError:
        raise UsageError("this is nested too deeply", where=str(path)) from None
    text, code = _blank(source, scanner.masks), _blank(source, scanner.code_masks)
    return Scanned(source, path, text, newlines.rewrite(text, path), code, scanner.templates)


class _Scanner:
    """One pass over the source. A mask is (start, end, what stands at its start instead)."""

    def __init__(self, source: str, path: Path) -> None:
        self.source, self.path = source, path
        self.templates: dict[int, Template] = {}
        self.masks: list[tuple[int, int, str]] = [(0, 1, " ")] if source.startswith("\ufeff") else []
        self.code_masks = list(self.masks)

    def code(self, position: int, *, is_outermost: bool) -> int:
        """Read code up to the brace that closes it (or the end of the text); return the offset behind it."""
        depth = 0
        while match := _CODE.search(self.source, position):
            position = match.end()
            sign = match.group()
            if sign == "{":
                depth += 1
            elif sign == "}":
                depth -= 1
                if depth < 0 and not is_outermost:
                    return position
            else:
                position = self.skip(match, is_outermost=is_outermost)
        if not is_outermost:
            raise self.error("an interpolation has no end", position)
        return len(self.source)

    def skip(self, match: re.Match[str], *, is_outermost: bool) -> int:
        start, sign = match.start(), match.group()
        if sign == '"' or sign.startswith("<<"):
            template = self.heredoc(match) if sign != '"' else self.quoted(start)
            if is_outermost:
                self.templates[start] = template
                self.masks.append((start, template.end, '""'))
            return template.end
        if sign in {"#", "//", "/*"}:
            end = self.source.find("*/" if sign == "/*" else "\n", match.end())
            if end < 0 and sign == "/*":
                raise self.error("a comment has no end", start)
            end = len(self.source) if end < 0 else end + 2 * (sign == "/*")
            filling = (start, end, "")
        else:
            end = match.end()
            filling = (start, end, "".join("a" if f"a{char}".isidentifier() else char for char in sign))
        if is_outermost:
            self.masks.append(filling)
        self.code_masks.append(filling)
        return end

    def quoted(self, start: int) -> Template:
        position, part = start + 1, start
        found: list[tuple[int, int]] = []
        while True:
            position = self.run(_QUOTED, position)
            end = self.source[position : position + 1]
            if end == '"':
                self.code_masks.append((part, position + 1, ""))
                inner = (start + 1, position)
                return Template(start, position + 1, inner, is_literal=not found, interpolations=tuple(found))
            if end not in {"$", "%"}:
                why = "it goes over the end of the line" if end else "the text ends first"
                raise self.error("a string has no closing quote", start, why)
            part = self.interpolation(part, position)
            found.append((position, part))
            position = part

    def heredoc(self, match: re.Match[str]) -> Template:
        marker, begin = match.group(2), match.end()
        position, part = begin, match.start()
        found: list[tuple[int, int]] = []
        is_line_start = True
        while position < len(self.source):
            newline = self.source.find("\n", position)
            line = self.source[position:newline] if is_line_start and newline >= 0 else ""
            if line.strip() == marker:
                end = position + len(line.rstrip())
                self.code_masks.append((part, end, ""))
                return Template(
                    match.start(),
                    end,
                    (begin, position),
                    is_literal=not found,
                    is_heredoc=True,
                    is_indented=match.group(1) == "-",
                    interpolations=tuple(found),
                )
            position = self.run(_HEREDOC, position)
            if self.source[position : position + 1] == "\n":
                position, is_line_start = position + 1, True
            elif position < len(self.source):
                part = self.interpolation(part, position)
                found.append((position, part))
                position, is_line_start = part, False
        raise self.error("a heredoc has no end", match.start(), f"no line holds `{marker}` alone")

    def run(self, pattern: re.Pattern[str], position: int) -> int:
        match = pattern.match(self.source, position)
        return match.end() if match else position

    def interpolation(self, part: int, position: int) -> int:
        """Mask the literal before ``${`` or ``%{``, read the code in it; return the offset behind it."""
        self.code_masks.append((part, position + 2, ""))
        end = self.code(position + 2, is_outermost=False)
        self.code_masks.append((end - 1, end, ""))
        return end

    def error(self, what: str, offset: int, why: str = "") -> UsageError:
        return UsageError(what, where=f"{self.path}:{self.source.count(chr(10), 0, offset) + 1}", why=why)


def _blank(source: str, masks: list[tuple[int, int, str]]) -> str:
    parts, position = [], 0
    for start, end, filling in sorted(masks):
        parts += [source[position:start], filling.ljust(end - start)]
        position = end
    parts.append(source[position:])
    return "".join(parts)
