"""Edits of terraform.tfvars by text ranges: all other bytes stay unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ngp.catalogue import hcl
from ngp.environments.values import COMMON_INPUTS
from ngp.errors import UsageError

Key = tuple[str, ...]  # ("pre_tag",) or ("openvpn", "instance_type")

_RETIRED_LINE = "# ngp: values of {unit}, which is not chosen; they come back when it is chosen again"
_OLDER_LINE = "# ngp: older values of {unit}; newer ones were commented out later, so these do not come back"
_END_LINE = "# ngp: end of {unit}"


@dataclass(frozen=True)
class Setting:
    """A value to write: HCL text, and the comment lines (without ``# ``) for a new one."""

    text: str
    comment: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    """Changes of a terraform.tfvars. `titles` are the comment lines above a new object of a unit."""

    settings: Mapping[Key, Setting] = field(default_factory=dict)
    removals: frozenset[Key] = frozenset()
    retired: tuple[str, ...] = ()  # removed units: their objects are commented out
    restored: tuple[str, ...] = ()  # added units: commented-out objects are restored
    titles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Change:
    """Characters `start` to `end` become `text`; of several at one place the first given stands first."""

    start: int
    end: int
    text: str


def edit(text: str, edit: Edit, path: Path) -> str:
    """Return the edited text; `path` is for messages only. Raises UsageError if the text is not HCL."""
    for unit in edit.restored:
        text = restore(text, unit, path)
    text = _set(text, edit, path)
    for unit in edit.retired:
        text = retire(text, unit, path)
    return text


def retire(text: str, unit: str, path: Path) -> str:
    """Comment out the object of a unit, in a marked block from which `restore` makes the same bytes again.

    An older block keeps its values, but `restore` no longer reads it.
    """
    if unit not in hcl.parse(text, path).attributes:
        return text
    older = _OLDER_LINE.format(unit=unit)
    text = re.sub(rf"^{re.escape(_RETIRED_LINE.format(unit=unit))}(?=[ \t]*\r?$)", lambda _: older, text, flags=re.M)
    attribute = hcl.parse(text, path).attributes[unit]
    newline = _newline(text)
    start, end = _lines(text, attribute)
    body = re.sub(r"^(?=\r?$)", "#", re.sub(r"^(?=[^\r\n])", "# ", text[start:end], flags=re.M), flags=re.M)
    first, last = (mark.format(unit=unit) for mark in (_RETIRED_LINE, _END_LINE))
    return text[:start] + newline.join([first, body, last]) + text[end:]


def restore(text: str, unit: str, path: Path) -> str:
    """Restore what `retire` commented out, unless the unit has an object again."""
    start, end = (re.escape(mark.format(unit=unit)) for mark in (_RETIRED_LINE, _END_LINE))
    match = re.search(rf"^{start}[ \t]*\r?\n(.*?)\r?\n{end}[ \t]*(?=\r?$)", text, re.M | re.S)
    if match is None or unit in hcl.parse(text, path).attributes:
        return text
    result = text[: match.start()] + re.sub(r"^# ?", "", match[1], flags=re.M) + text[match.end() :]
    try:
        hcl.parse(result, path)
    except UsageError as error:
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        what = f"the commented-out values of `{unit}` can no longer be read"
        raise UsageError(what, where=where, why=str(error), todo="fix them or delete the block") from None
    return result


def _set(text: str, edit: Edit, path: Path) -> str:
    if not edit.settings and not edit.removals:
        return text
    body = hcl.parse(text, path)
    known = _known(body, {key[0] for key in (*edit.settings, *edit.removals) if len(key) == 2})
    changes = [_removal(text, known[key]) for key in sorted(edit.removals) if key in known]
    added: dict[str, dict[str, Setting]] = {}
    for key, setting in edit.settings.items():
        if key in known:
            span = known[key].value_span
            if text[span.start : span.end] != setting.text:
                changes.append(_Change(span.start, span.end, setting.text))
        else:
            added.setdefault(key[0] if len(key) == 2 else "", {})[key[-1]] = setting
    paragraphs = []
    if "" in added:
        common = added.pop("")
        change = _add_common(text, body, common)
        changes += [change] if change else []
        paragraphs += [] if change else [_render(common, "")]
    for unit, settings in added.items():
        if unit in body.attributes:
            changes.append(_add_to_object(text, body.attributes[unit], settings))
        else:
            paragraphs.append(_object(unit, edit.titles.get(unit, ()), settings))
    if paragraphs:
        changes.append(_Change(len(text), len(text), _gap(text) + "\n\n".join(paragraphs) + "\n"))
    return _apply(text, changes)


def _known(body: hcl.Body, units: Iterable[str]) -> dict[Key, hcl.Attribute]:
    attributes = body.attributes
    known: dict[Key, hcl.Attribute] = {(name,): attribute for name, attribute in attributes.items()}
    for unit in units:
        if unit in attributes:
            known |= {(unit, name): each for name, each in hcl.elements(attributes[unit]).items()}
    return known


def _apply(text: str, changes: Sequence[_Change]) -> str:
    newline = _newline(text)
    parts, position = [], 0
    for change in sorted(changes, key=lambda change: change.start):
        parts += [text[position : change.start], change.text.replace("\n", newline)]
        position = change.end
    return "".join([*parts, text[position:]])


def _removal(text: str, attribute: hcl.Attribute) -> _Change:
    """The lines of an attribute that has them to itself, or else it alone, with its comma."""
    start, end = attribute.span.start, attribute.span.end
    rest = re.compile(r"[ \t]*,?[ \t]*").match(text, end)
    end = rest.end() if rest else end
    line_start = text.rfind("\n", 0, start) + 1
    tail = re.compile(r"(?:(?:#|//)[^\n]*)?(?:\n|\Z)|\r\n").match(text, end)
    if text[line_start:start].strip() == "" and tail:
        return _Change(line_start, tail.end(), "")
    return _Change(start, end, "")


def _add_common(text: str, body: hcl.Body, settings: Mapping[str, Setting]) -> _Change | None:
    """Behind the last common value, else before the first unit's comment; None where nothing is there yet."""
    common = [each for name, each in body.attributes.items() if name in COMMON_INPUTS]
    if common:
        end = _lines(text, common[-1])[1]
        return _Change(end, end, "\n" + _render(settings, ""))
    if body.attributes:
        start = max(next(iter(body.attributes.values())).comment_span.start, int(text.startswith("\ufeff")))
        return _Change(start, start, _render(settings, "") + "\n\n")
    return None


def _object(unit: str, title: Sequence[str], settings: Mapping[str, Setting]) -> str:
    return "\n".join([*(_comment(line) for line in title), f"{unit} = {{", _render(settings, "  "), "}"])


def _add_to_object(text: str, attribute: hcl.Attribute, settings: Mapping[str, Setting]) -> _Change:
    """Before the closing brace: on lines of their own, parted by a comma from what shares a line with the brace."""
    code, brace = attribute.scanned.text, attribute.value_span.end - 1
    line_start = code.rfind("\n", 0, brace) + 1
    elements = list(hcl.elements(attribute).values())
    indent = _indent(text, elements[-1]) if elements else "  "
    if not code[line_start:brace].strip() and line_start > attribute.value_span.start:
        return _Change(line_start, line_start, _render(settings, indent) + "\n")
    end = elements[-1].span.end if elements else brace
    comma = "," if elements and "," not in code[end:brace] else ""
    start = end if comma and not text[end:brace].strip(" \t") else brace
    return _Change(start, brace, f"{comma}\n{_render(settings, indent)}\n")


def _render(settings: Mapping[str, Setting], indent: str) -> str:
    lines = []
    for name, setting in settings.items():
        lines += [indent + _comment(line) for line in setting.comment]
        lines.append(f"{indent}{name} = {_indented(setting.text, indent)}")
    return "\n".join(lines)


def _indented(text: str, indent: str) -> str:
    """Indent the lines of a value; one that holds a heredoc or a string over lines stays as it is."""
    return text if "<<" in text else text.replace("\n", f"\n{indent}")


def _comment(line: str) -> str:
    return f"# {line}".rstrip()


def _indent(text: str, attribute: hcl.Attribute) -> str:
    line_start = text.rfind("\n", 0, attribute.span.start) + 1
    lead = text[line_start : attribute.span.start]
    return lead if not lead.strip() else "  "


def _lines(text: str, attribute: hcl.Attribute) -> tuple[int, int]:
    """The offsets of the attribute's lines (with comments that share them), without the last line end."""
    code = attribute.scanned.text  # blanks for comments, so that one over several lines is not cut
    start, end = code.rfind("\n", 0, attribute.span.start) + 1, code.find("\n", attribute.span.end)
    end = len(text) if end < 0 else end
    return start, end - 1 if text[end - 1 : end] == "\r" else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _gap(text: str) -> str:
    """What to put before a new paragraph at the end of the text."""
    if not text.strip("\ufeff"):
        return ""
    return "\n" if text.endswith("\n") else "\n\n"
