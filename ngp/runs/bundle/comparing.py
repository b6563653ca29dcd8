"""Compares what two plans would do, unit by unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.runs.results import UnitResult
from ngp.terraform.plans import Action, Change, OutputChange


@dataclass(frozen=True)
class Difference:
    """One resource, output or action that two plans treat differently. "" where a plan does nothing to it."""

    unit: str
    address: str
    first: str
    second: str
    attributes: tuple[str, ...] = ()  # that get another value, where the action is the same

    def __str__(self) -> str:
        if self.attributes:
            return f"{self.address}: {self.second} sets {', '.join(self.attributes)} to another value"
        return f"{self.address}: {self.first or 'nothing'} → {self.second or 'nothing'}"


def compare(first: Iterable[UnitResult], second: Iterable[UnitResult]) -> list[Difference]:
    """Return what differs, by unit and address. The values before a change do not count: only what becomes of them."""
    one, other = ({unit.unit: _deeds(unit) for unit in units} for units in (first, second))
    found = []
    for unit in sorted(one.keys() | other.keys()):
        before, after = one.get(unit, {}), other.get(unit, {})
        for address in sorted(before.keys() | after.keys()):
            difference = _differ(unit, address, before.get(address), after.get(address))
            if difference is not None:
                found.append(difference)
    return found


@dataclass(frozen=True)
class _Deed:
    """What a plan does to one address."""

    word: str
    values: Mapping[str, Any]


def _deeds(unit: UnitResult) -> dict[str, _Deed]:
    deeds = {change.address: _Deed(_word(change), _attributes(change)) for change in unit.changes}
    deeds |= {f"output {name}": _Deed(one.action.value, _output(one)) for name, one in unit.outputs.items()}
    deeds |= {str(one): _Deed("invoke", {"values": (one.values, one.unknown)}) for one in unit.invocations}
    deferred = {"(unit)": _Deed(unit.outcome.value, {})} if not unit.outcome.is_good or unit.is_preview else {}
    return {**deeds, **deferred}


def _word(change: Change) -> str:
    words = [change.action.value] if change.action is not Action.NO_OP else []
    words += [f"import {change.import_id}".strip()] if change.importing else []
    words += [f"move from {change.previous_address}"] if change.previous_address else []
    return ", ".join(words)


def _attributes(change: Change) -> dict[str, Any]:
    after = change.after if isinstance(change.after, dict) else {}
    unknown = change.after_unknown if isinstance(change.after_unknown, dict) else {}
    secret = {f"sensitive {'.'.join(map(str, path))}": True for path in change.sensitive_changes}
    return {name: (after.get(name), unknown.get(name, False)) for name in after.keys() | unknown.keys()} | secret


def _output(change: OutputChange) -> dict[str, Any]:
    return {"value": (change.after, change.after_unknown)}


def _differ(unit: str, address: str, before: _Deed | None, after: _Deed | None) -> Difference | None:
    first, second = before.word if before else "", after.word if after else ""
    if first != second:
        return Difference(unit, address, first, second)
    assert before is not None
    assert after is not None
    names = sorted(
        name for name in before.values.keys() | after.values.keys() if before.values.get(name) != after.values.get(name)
    )
    return Difference(unit, address, first, second, tuple(names)) if names else None
