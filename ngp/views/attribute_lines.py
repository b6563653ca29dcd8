"""Shows the difference of two values of Terraform as lines with symbols."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from ngp.terraform.plans import SENSITIVE
from ngp.views.attribute_values import UNKNOWN, WIDTH, cut, cut_pair, decode, is_scalar, literal

Path = tuple[str | int, ...]
_ABSENT = object()
_TAGS = ("tags",)  # written on one line, unless `whole`: most resources of a unit have the same
_INLINE = 80  # characters of a list that is written on one line
_AROUND = 3  # lines shown around a changed line of a heredoc


@dataclass(frozen=True)
class AttributeLine:
    """One line; `mark` is ``+``, ``-``, ``~`` or blank, `depth` counts from the attributes of the resource."""

    mark: str
    depth: int
    text: str

    def __str__(self) -> str:
        return f"{'    ' * self.depth}{self.mark} {self.text}"


@dataclass(frozen=True)
class Detail:
    """How much of one change is shown, unless all of it is."""

    width: int = WIDTH  # characters of one value
    text: int = 30  # lines of one JSON document or heredoc
    hint: str = "; --all shows them"  # behind what is left out


@dataclass(frozen=True)
class ValuePosition:
    """The position of a value: its path in the resource, its depth, and what follows it."""

    path: Path
    depth: int
    end: str = ""
    is_json: bool = False  # inside a JSON text, where a list of objects is no list of blocks

    def at(self, key: str | int, end: str = "") -> ValuePosition:
        """Return the position of a member, at the depth of its siblings."""
        return replace(self, path=(*self.path, key), end=end)

    def below(self, end: str = "") -> ValuePosition:
        """Return the position of the content of a bracket."""
        return replace(self, depth=self.depth + 1, end=end)


class Writer:
    """Collects the lines of one change. `forcing` has the paths that force a replacement.

    `secrets` has the paths of sensitive values that differ: they are masked, so both sides look the same.
    """

    def __init__(
        self,
        forcing: Iterable[Path] = (),
        secrets: Iterable[Path] = (),
        *,
        whole: bool = False,
        detail: Detail | None = None,
    ) -> None:
        self.lines: list[AttributeLine] = []
        self.whole, self.detail = whole, detail or Detail()
        self._forcing, self._secrets = frozenset(forcing), tuple(secrets)

    def line(self, mark: str, depth: int, text: str, path: Path | None = None) -> None:
        """Add a line, marked if `path` forces the replacement."""
        force = "  # forces replacement" if path in self._forcing else ""
        self.lines.append(AttributeLine(mark, depth, text + force))

    def note(self, depth: int, text: str) -> None:
        """Add a line about what only `--all` shows."""
        self.line(" ", depth, f"# ({text}{self.detail.hint})")

    def context(self, members: Mapping[str, Any], at: ValuePosition) -> None:
        """Add unchanged attributes that identify the resource."""
        heads = _heads(members)
        for key, value in members.items():
            self._value(" ", heads[key], value, at.at(key))

    def members(self, before: Mapping[str, Any], after: Mapping[str, Any], at: ValuePosition) -> None:
        """Add the differing members of an object: those that force a replacement first, blocks last."""
        found = [(key, before.get(key, _ABSENT), after.get(key, _ABSENT)) for key in {**before, **after}]
        changed = [one for one in found if not self._is_same(one[1], one[2], (*at.path, one[0]))]
        blocks = set() if at.is_json else {key for key, old, new in changed if _is_block(old) or _is_block(new)}
        changed.sort(key=lambda one: (not self._forces((*at.path, one[0])), one[0] in blocks))
        heads = _heads(key for key, _, _ in changed if key not in blocks)
        for key, old, new in changed:
            if key in blocks:
                self._elements(f"{key} ", old, new, at.at(key))
            else:
                self.differ(heads[key], old, new, at.at(key))
        self._hidden(len(found) - len(changed), "attribute", at.depth)

    def differ(self, head: str, old: Any, new: Any, at: ValuePosition) -> None:
        """Add one attribute or element that differs; `head` is the text before its value."""
        if old is _ABSENT:
            self._value("+", head, new, at)
        elif new is _ABSENT:
            self._value("-", head, old, replace(at, end=at.end or " -> null"))
        elif isinstance(old, dict) and isinstance(new, dict):
            self.line("~", at.depth, f"{head}{{", at.path)
            self.members(old, new, at.below())
            self.line(" ", at.depth, f"}}{at.end}")
        elif isinstance(old, list) and isinstance(new, list):
            self.line("~", at.depth, f"{head}[", at.path)
            self._elements("", old, new, at.below())
            self.line(" ", at.depth, f"]{at.end}")
        elif old == new == SENSITIVE:
            self.line("~", at.depth, f"{head}{SENSITIVE}{at.end}", at.path)
        elif isinstance(old, str) and isinstance(new, str) and SENSITIVE not in (old, new):
            self._texts(head, old, new, at)
        else:
            self._pair(head, old, new, at)

    def _value(self, mark: str, head: str, value: Any, at: ValuePosition) -> None:
        document = decode(value)
        if document is not None:
            inside = ValuePosition((), at.depth + 1, is_json=True)
            self._bracket(mark, f"{head}jsonencode(", at, ")", lambda: self._value(mark, "", document, inside))
        elif isinstance(value, str) and "\n" in value.rstrip("\n"):
            self._bracket(mark, f"{head}<<-EOT", at, "EOT", lambda: self._text(mark, value, at.depth + 1))
        elif isinstance(value, dict) and value and not (at.path == _TAGS and not self.whole and _is_flat(value)):
            sides = {"+": ({}, value), "-": (value, {})}
            self.line(mark, at.depth, f"{head}{{", at.path)
            if mark in sides:
                self.members(*sides[mark], at.below())
            else:
                self.context(value, at.below())
            self.line(" ", at.depth, f"}}{at.end}")
        elif isinstance(value, list) and not _fits(value):
            self.line(mark, at.depth, f"{head}[", at.path)
            for place, item in enumerate(value):
                self._value(mark, "", item, at.below().at(place, ","))
            self.line(" ", at.depth, f"]{at.end}")
        else:
            shown = literal(value)
            is_cut = not self.whole and is_scalar(value)
            self.line(mark, at.depth, f"{head}{self._cut(shown) if is_cut else shown}{at.end}", at.path)

    def _bracket(self, mark: str, start: str, at: ValuePosition, end: str, write: Callable[[], None]) -> None:
        """Write the content of a text; without `whole`, its first lines."""
        self.line(mark, at.depth, start, at.path)
        known = len(self.lines)
        write()
        rest = len(self.lines) - known - self.detail.text
        if rest > 1 and not self.whole:
            del self.lines[known + self.detail.text :]
            self.note(at.depth + 1, f"{rest} more lines")
        self.line(" ", at.depth, f"{end}{at.end}")

    def _elements(self, head: str, old: Any, new: Any, at: ValuePosition) -> None:
        """Write the elements of a list that differ. What only moved in it is added and removed."""
        before, after = (side if isinstance(side, list) else [] if side is _ABSENT else [side] for side in (old, new))
        matcher = SequenceMatcher(None, [_name(one) for one in before], [_name(one) for one in after], autojunk=False)
        same = 0
        for kind, start, stop, first, last in matcher.get_opcodes():
            if kind == "equal":
                same += self._same_elements(head, before[start:stop], at, first)
                continue
            gone, come = before[start:stop], after[first:last]
            is_paired = len(gone) == len(come) and all(isinstance(one, dict) for one in gone + come)
            for offset in range(max(len(gone), len(come))):
                place = at.at(first + offset, "" if head else ",")
                one = gone[offset] if offset < len(gone) else _ABSENT
                other = come[offset] if offset < len(come) else _ABSENT
                if is_paired:
                    self.differ(head, one, other, place)
                    continue
                if one is not _ABSENT:
                    self._value("-", head, one, place)
                if other is not _ABSENT:
                    self._value("+", head, other, place)
        self._hidden(same, "block" if head else "element", at.depth)

    def _same_elements(self, head: str, found: Sequence[Any], at: ValuePosition, first: int) -> int:
        """Write of elements that look the same those with a secret that differs; count the others."""
        same = 0
        for offset, one in enumerate(found):
            place = at.at(first + offset, "" if head else ",")
            if self._is_same(one, one, place.path):
                same += 1
            else:
                self.differ(head, one, one, place)
        return same

    def _texts(self, head: str, old: str, new: str, at: ValuePosition) -> None:
        before, after = decode(old), decode(new)
        if before is not None and type(before) is type(after):
            if before == after:
                self.line("~", at.depth, f"{head}jsonencode(…)  # only blanks or the order of keys differ", at.path)
                return
            inside = ValuePosition((), at.depth + 1, is_json=True)
            self._bracket("~", f"{head}jsonencode(", at, ")", lambda: self.differ("", before, after, inside))
        elif "\n" in old.rstrip("\n") or "\n" in new.rstrip("\n"):
            self._bracket("~", f"{head}<<-EOT", at, "EOT", lambda: self._compare_lines(old, new, at.depth + 1))
        else:
            self._pair(head, old, new, at)

    def _compare_lines(self, old: str, new: str, depth: int) -> None:
        before, after = old.splitlines(), new.splitlines()
        if before == after:
            self.line("~", depth, "# only the ends of lines differ")
        around = max(len(before), len(after)) if self.whole else _AROUND
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for group in matcher.get_grouped_opcodes(around):
            if group[0][1]:
                self.line(" ", depth, "…")
            for kind, start, stop, first, last in group:
                if kind == "equal":
                    self._text(" ", "\n".join(before[start:stop]), depth)
                else:
                    self._text("-", "\n".join(before[start:stop]), depth)
                    self._text("+", "\n".join(after[first:last]), depth)

    def _text(self, mark: str, text: str, depth: int) -> None:
        for line in text.splitlines():
            self.line(mark, depth, line if self.whole else self._cut(line))

    def _pair(self, head: str, old: Any, new: Any, at: ValuePosition) -> None:
        before, after = literal(old), literal(new)
        if not self.whole:
            width = self.detail.width
            before, after = (self._cut(before), after) if new is UNKNOWN else cut_pair(before, after, width)
        self.line("~", at.depth, f"{head}{before} -> {after}{at.end}", at.path)

    def _cut(self, text: str) -> str:
        return cut(text, self.detail.width)

    def _hidden(self, number: int, thing: str, depth: int) -> None:
        if number:
            self.line(" ", depth, f"# ({number} unchanged {thing}{'' if number == 1 else 's'} hidden)")

    def _is_same(self, old: Any, new: Any, path: Path) -> bool:
        return bool(old == new) and not any(secret[: len(path)] == path for secret in self._secrets)

    def _forces(self, path: Path) -> bool:
        return any(forced[: len(path)] == path for forced in self._forcing)


def _heads(keys: Iterable[str]) -> dict[str, str]:
    """``name = `` for each key, in one column."""
    written = {key: key if key.replace("-", "_").replace(".", "_").isidentifier() else literal(key) for key in keys}
    width = max(map(len, written.values()), default=0)
    return {key: f"{text:<{width}} = " for key, text in written.items()}


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _is_flat(value: Mapping[str, Any]) -> bool:
    return all(map(is_scalar, value.values()))


def _fits(values: Sequence[Any]) -> bool:
    return all(is_scalar(one) and "\n" not in str(one) for one in values) and len(literal(list(values))) <= _INLINE


def _name(value: Any) -> str:
    """Return what identifies an element of a list."""
    return json.dumps(value, sort_keys=True, default=repr)
