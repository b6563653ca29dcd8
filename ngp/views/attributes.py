"""Attributes of a planned change, shown like in Terraform: symbols, values, unknowns, and what forces a replacement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ngp.terraform.plans import Action, Change, OutputChange
from ngp.views import terminal
from ngp.views.attribute_lines import AttributeLine, Detail, ValuePosition, Writer
from ngp.views.attribute_values import UNKNOWN

_TOP = ValuePosition((), 0)
_IDENTITY = ("id", "name")  # shown although unchanged
_ZERO: tuple[Any, ...] = ("", 0, [], {})
_NAMES = ("id", "name", "arn")  # shown of a deletion


def lines(change: Change, *, whole: bool = False, detail: Detail | None = None) -> list[AttributeLine]:
    """Return the lines below a change's own.

    Without `whole`, a deletion shows its names only, values that are too long are cut (as `detail` says), and what a
    new resource will know after apply is one line.
    """
    before, after = _tree(change.before), _tree(change.after, change.after_unknown)
    before, after = _without_copied_tags(before, after)
    writer = Writer(frozenset(change.replace_paths), change.sensitive_changes, whole=whole, detail=detail)
    match change.action:
        case Action.CREATE:
            _create(writer, after)
        case Action.DELETE | Action.FORGET:
            _delete(writer, before, "-" if change.action is Action.DELETE else " ")
        case Action.UPDATE | Action.REPLACE | Action.NO_OP | Action.UNKNOWN:
            _differ(writer, change, before, after)
    return writer.lines


def outputs(
    found: Mapping[str, OutputChange], *, whole: bool = False, detail: Detail | None = None
) -> list[AttributeLine]:
    """Return a line or more for each output that changes."""
    writer = Writer(whole=whole, detail=detail)
    secret = [name for name, one in found.items() if one.sensitive]
    before = {name: _tree(one.before) for name, one in found.items() if name not in secret and one.before is not None}
    after = {name: _tree(one.after, one.after_unknown) for name, one in found.items() if name not in secret}
    after = {name: value for name, value in after.items() if value is not None}
    unknown = [name for name, value in after.items() if value is UNKNOWN and name not in before]
    if not whole:
        after = {name: value for name, value in after.items() if name not in unknown}
    writer.members(before, after, _TOP)
    for name in secret:
        mark = {Action.CREATE: "+", Action.DELETE: "-"}.get(found[name].action, "~")
        writer.line(mark, 0, f"{name} = (sensitive value)")
    if not whole:
        _write_unknown(writer, "+", unknown)
    return writer.lines


def _create(writer: Writer, after: Mapping[str, Any]) -> None:
    shown, unknown = dict(after), list[str]()
    if not writer.whole:
        unknown = [name for name, value in after.items() if value is UNKNOWN]
        shown = {name: value for name, value in after.items() if value is not UNKNOWN and value not in ([], {})}
    writer.members({}, shown, _TOP)
    _write_unknown(writer, "+", unknown)


def _delete(writer: Writer, before: Mapping[str, Any], mark: str) -> None:
    shown = dict(before)
    if not writer.whole:
        shown = {name: before[name] for name in _NAMES if name in before}
        tags = before.get("tags")
        if "name" not in shown and isinstance(tags, dict) and "Name" in tags:
            shown["tags.Name"] = tags["Name"]
    if mark == "-":
        writer.members(shown, {}, _TOP)
    else:
        writer.context(shown, _TOP)
    if len(shown) < len(before):
        writer.note(0, terminal.amount(len(before) - len(shown), "more attribute"))


def _differ(writer: Writer, change: Change, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    unknown, unset = [], set[str]()
    if change.action is Action.REPLACE and not writer.whole:
        forced = {path[0] for path in change.replace_paths if path}
        unknown = [name for name, value in after.items() if value is UNKNOWN and name not in forced]
        # A provider that fills in zero values plans null for them in the new resource.
        unset = {name for name in before.keys() - after.keys() - forced if before[name] in _ZERO}
    kept = {name: value for name, value in after.items() if name not in unknown}
    old = {name: value for name, value in before.items() if name not in unset.union(unknown)}
    identity = {name: old[name] for name in _IDENTITY if name in old and old[name] == kept.get(name)}
    writer.context(identity, _TOP)
    writer.members(_rest(old, identity), _rest(kept, identity), _TOP)
    _write_unknown(writer, "~", unknown)


def _rest(tree: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in shown}


def _write_unknown(writer: Writer, mark: str, names: list[str]) -> None:
    if names:
        writer.line(mark, 0, f"known after apply: {', '.join(names)}")


def _tree(value: Any, unknown: Any = None) -> Any:
    """A value with its unknown leaves in place, without what is null."""
    if unknown is True:
        return UNKNOWN
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict) and _holds_unknown(unknown)):
        inside = unknown if isinstance(unknown, dict) else {}
        known = value or {}
        leaves = {key: _tree(known.get(key), inside.get(key)) for key in {**known, **inside}}
        return {key: leaf for key, leaf in leaves.items() if leaf is not None}
    if isinstance(value, list) or (value is None and isinstance(unknown, list) and _holds_unknown(unknown)):
        return [_tree(item, mark) for item, mark in _pairs(value or [], unknown if isinstance(unknown, list) else [])]
    return value


def _pairs(values: list[Any], marks: list[Any]) -> Iterator[tuple[Any, Any]]:
    for at in range(max(len(values), len(marks))):
        yield values[at] if at < len(values) else None, marks[at] if at < len(marks) else False


def _holds_unknown(marks: Any) -> bool:
    if isinstance(marks, dict):
        return any(map(_holds_unknown, marks.values()))
    if isinstance(marks, list):
        return any(map(_holds_unknown, marks))
    return marks is True


def _without_copied_tags(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Leave out of `tags_all` what `tags` says, and all of it where nothing is left."""
    old, new = dict(before or {}), dict(after or {})
    tags = old.get("tags") or {}, new.get("tags") or {}
    everything = old.get("tags_all"), new.get("tags_all")
    if everything[1] is UNKNOWN:
        if tags[1] is UNKNOWN or UNKNOWN in tags[1].values():
            old.pop("tags_all", None)
            new.pop("tags_all")
        return old, new
    if not all(isinstance(side, dict) for side in tags):
        return old, new
    for tree, side in ((old, everything[0]), (new, everything[1])):
        if isinstance(side, dict):
            tree["tags_all"] = {key: value for key, value in side.items() if not _is_copy(key, tags, everything)}
            if not tree["tags_all"]:
                del tree["tags_all"]
    return old, new


def _is_copy(key: str, tags: tuple[Any, Any], everything: tuple[Any, Any]) -> bool:
    return all((one or {}).get(key) == (other or {}).get(key) for one, other in zip(tags, everything, strict=True))
