"""Compares a real plan with its preview: it may do less, never more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.terraform.plans import Action, Change, Invocation, Masked

_IDLE = frozenset({Action.NO_OP, Action.READ})
# Weaker actions that a preview also allows: an update instead of a replacement does less.
_LESS = {Action.REPLACE: frozenset({Action.UPDATE})}


@dataclass(frozen=True)
class Surplus:
    """A change in the real plan that exceeds the preview."""

    address: str
    action: Action
    previewed: Action
    attributes: tuple[str, ...] = ()  # with other values than in the preview
    state_only: str = ""  # a move or an import that the preview did not show

    def __str__(self) -> str:
        if self.state_only:
            return f"{self.address}: {self.state_only} was not previewed"
        if self.attributes:
            names = ", ".join(f"`{name}`" for name in self.attributes)
            return f"{self.address}: {self.action.value} sets {names} to another value than previewed"
        before = "was not previewed" if self.previewed is Action.NO_OP else f"was previewed as {self.previewed.value}"
        return f"{self.address}: {self.action.value} {before}"


def surplus(previewed: Iterable[Change], real: Iterable[Change]) -> tuple[Surplus, ...]:
    """Return what `real` does beyond `previewed`, by address; empty if it fits.

    An address may drop out; no-op < update < replace; a create stays a create; a delete, a forget, an import (of the
    same object) and a move (from the same address) must have been previewed as such. An attribute whose value was
    previewed gets that value, or keeps its own. Reads of data and changes of outputs do not count.
    """
    allowed: Mapping[str, Change] = {change.address: change for change in previewed if change.mode == "managed"}
    found = []
    for change in real:
        is_kept = change.action in _IDLE and not (change.importing or change.previous_address)
        if change.mode != "managed" or is_kept:
            continue
        preview = allowed.get(change.address)
        if state_only := _state_only(preview, change):
            before = preview.action if preview else Action.NO_OP
            found.append(Surplus(change.address, change.action, before, state_only=state_only))
        elif preview is None or not _fits(preview, change):
            found.append(Surplus(change.address, change.action, preview.action if preview else Action.NO_OP))
        elif others := _others(preview, change):
            found.append(Surplus(change.address, change.action, preview.action, others))
    return tuple(sorted(found, key=lambda one: one.address))


def unpreviewed(previewed: Iterable[Invocation], real: Iterable[Invocation]) -> tuple[str, ...]:
    """Return the actions that `real` invokes and `previewed` does not, or with values that differ from the preview."""
    left, found = list(previewed), []
    for one in real:
        fitting = (
            seen
            for seen in left
            if (seen.address, seen.trigger) == (one.address, one.trigger)
            and agrees(seen.values, seen.unknown, one.values)
        )
        seen = next(fitting, None)
        if seen is None:
            found.append(f"{one}: invoked so was not previewed")
        else:
            left.remove(seen)
    return tuple(sorted(found))


def _state_only(preview: Change | None, change: Change) -> str:
    """Return the import or move of a real change that the preview did not show, "" if there is none."""
    if change.importing:
        is_seen = preview is not None and preview.importing
        if not is_seen or (preview is not None and preview.import_id not in ("", change.import_id)):
            return f"the import of {change.import_id or 'an object'}"
    if change.previous_address and (preview is None or preview.previous_address != change.previous_address):
        return f"the move from {change.previous_address}"
    return ""


def _fits(preview: Change, change: Change) -> bool:
    if Action.UNKNOWN in (preview.action, change.action):
        return False
    return change.action is preview.action or change.action in _LESS.get(preview.action, frozenset())


def _others(preview: Change, change: Change) -> tuple[str, ...]:
    """Return the attributes that get another value than the preview showed."""
    if not isinstance(preview.after, dict) or not isinstance(change.after, dict):
        return ()
    unknown = preview.after_unknown if isinstance(preview.after_unknown, dict) else {}
    before = change.before if isinstance(change.before, dict) and change.action is Action.UPDATE else {}
    return tuple(
        name
        for name, value in sorted(change.after.items())
        if not (name in before and _is_same(before[name], value))
        and not agrees(preview.after.get(name), unknown.get(name, False), value)
    )


def agrees(value: Any, unknown: Any, real: Any) -> bool:
    """Whether `real` equals the expected `value`, ignoring parts where `unknown` (a structure of booleans) is true.

    The elements of a set have no order while one of them is unknown, and two of them may turn out equal.
    """
    if unknown is True:
        return True
    if isinstance(value, Masked) and isinstance(real, Masked):
        return _has_unknown(unknown) or not value.differs(real)
    if isinstance(unknown, dict) and isinstance(real, dict):
        values = value if isinstance(value, dict) else {}
        extra = any(real[name] is not None for name in real.keys() - values.keys() - unknown.keys())
        return not extra and all(
            agrees(values.get(name), unknown.get(name, False), real.get(name)) for name in {*values, *unknown}
        )
    if isinstance(unknown, list) and isinstance(real, list):
        elements = value if isinstance(value, list) else []
        length = max(len(elements), len(unknown))
        return len(real) <= length and all(
            any(agrees(_at(elements, index, None), _at(unknown, index, False), one) for one in real)  # noqa: FBT003
            for index in range(length)
        )
    return _is_same(value, real)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; sensitive ones by their hidden values."""
    if isinstance(one, Masked) and isinstance(other, Masked):
        return not one.differs(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _has_unknown(unknown: Any) -> bool:
    """Whether a structure of booleans contains a true one."""
    parts = unknown.values() if isinstance(unknown, dict) else unknown if isinstance(unknown, list) else ()
    return unknown is True or any(map(_has_unknown, parts))


def _at(values: list[Any], index: int, default: Any) -> Any:
    return values[index] if index < len(values) else default
