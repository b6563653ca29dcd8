"""Checks planned values against what AWS accepts; the plan reports the problems before anybody is asked to apply."""

from __future__ import annotations

from collections.abc import Iterator

from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.results import UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change

_SETS = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})
_SHOWN = 120


def emit_warnings(context: RunContext, result: UnitResult) -> None:
    """Warn of planned values that AWS would refuse. The run continues, because AWS decides."""
    for change in result.changes:
        for text in refusals(context, change):
            context.emit(Note(f"`{result.unit}`: AWS would refuse {text}"))


def refusals(context: RunContext, change: Change) -> Iterator[str]:
    """Yield the new values of a change that AWS would refuse, each with resource, attribute, value, rule and source."""
    if change.action not in _SETS or not change.type.startswith("aws_"):
        return
    from ngp.catalogue.constraints import accepting, parameters

    before = {(each.path, str(each.value)) for each in accepting.flatten(change.before)}
    after = (each for each in accepting.flatten(change.after) if each.value != SENSITIVE)
    values = [each for each in after if (each.path, str(each.value)) not in before]
    for each in accepting.refusals(change.type, values, parameters.load(context.resolved.platform.cache)):
        shown = str(each.value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        yield f'{change.address} {each.path} = "{shown}": it {each.rule} ({each.source})'
