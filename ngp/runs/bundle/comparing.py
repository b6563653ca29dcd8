"""Compares the effects of two plans, unit by unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change, OutputChange


@dataclass(frozen=True)
class PlanDifference:
    """A resource, output or action that two plans change differently. "" means that a plan does not change it."""

    unit: str
    address: str
    first: str
    second: str
    attributes: tuple[str, ...] = ()  # that get another value, where the action is the same

    def __str__(self) -> str:
        if self.attributes:
            return f"{self.address}: {self.second} sets {', '.join(self.attributes)} to another value"
        return f"{self.address}: {self.first or 'nothing'} → {self.second or 'nothing'}"


def compare(first: Iterable[UnitResult], second: Iterable[UnitResult]) -> list[PlanDifference]:
    """Return the differences, by unit and address.

    Of the values before a change, only the object's identity counts. Sensitive values are masked, so a sensitive value
    that a change sets always counts as different.
    """
    one, other = ({unit.unit: _effects(unit) for unit in units} for units in (first, second))
    found = []
    for unit in sorted(one.keys() | other.keys()):
        before, after = one.get(unit, {}), other.get(unit, {})
        for address in sorted(before.keys() | after.keys()):
            difference = _differ(unit, address, before.get(address), after.get(address))
            if difference is not None:
                found.append(difference)
    return found


@dataclass(frozen=True)
class _Effect:
    """What a plan does to one address."""

    word: str
    values: Mapping[str, Any]


def _effects(unit: UnitResult) -> dict[str, _Effect]:
    effects = {change.address: _Effect(_word(change), _attributes(change)) for change in unit.changes}
    effects |= {f"output {name}": _Effect(one.action.value, _output(one)) for name, one in unit.outputs.items()}
    effects |= {str(one): _Effect("invoke", {"values": (one.values, one.unknown)}) for one in unit.invocations}
    is_planned = unit.outcome.is_good and unit.outcome is not Outcome.DEFERRED and not unit.is_preview
    return effects if is_planned else {**effects, "(unit)": _Effect(unit.outcome.value, {})}


def _word(change: Change) -> str:
    words = [change.action.value] if change.action is not Action.NO_OP else []
    words += [f"import {change.import_id}".strip()] if change.importing else []
    words += [f"move from {change.previous_address}"] if change.previous_address else []
    return ", ".join(words)


def _attributes(change: Change) -> dict[str, Any]:
    after = change.after if isinstance(change.after, dict) else {}
    unknown = change.after_unknown if isinstance(change.after_unknown, dict) else {}
    before = change.before if isinstance(change.before, dict) else {}
    values: dict[str, Any] = {
        name: (after.get(name), unknown.get(name, False)) for name in after.keys() | unknown.keys()
    }
    changed = {path[0] for path in change.sensitive_changes if path}
    for name, value in after.items():
        if _has_secret(value) and (name in changed or before.get(name) != value):
            values[name] = _Unseen()
    return values | _identity(change, before)


class _Unseen:
    """A masked value, which equals nothing."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list):
        return any(map(_has_secret, value))
    return isinstance(value, str) and str(value) == SENSITIVE


def _identity(change: Change, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies the changed object; for a deleted one, all known values."""
    if change.action is Action.CREATE:
        return {}
    if change.action is Action.UPDATE or not before:
        return {"(object)": {name: before.get(name) for name in ("id", "arn")}}
    return {"(object)": {name: value for name, value in before.items() if not _has_secret(value)}}


def _output(change: OutputChange) -> dict[str, Any]:
    """Return the effect on an output. A masked sensitive output does not count as different: nothing else depends on
    it."""
    return {"value": (None if change.sensitive else change.after, change.after_unknown)}


def _differ(unit: str, address: str, before: _Effect | None, after: _Effect | None) -> PlanDifference | None:
    first, second = before.word if before else "", after.word if after else ""
    if first != second:
        return PlanDifference(unit, address, first, second)
    assert before is not None
    assert after is not None
    names = sorted(
        name for name in before.values.keys() | after.values.keys() if before.values.get(name) != after.values.get(name)
    )
    return PlanDifference(unit, address, first, second, tuple(names)) if names else None
