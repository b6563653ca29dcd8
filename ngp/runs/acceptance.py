"""Planned values that AWS would refuse: told with the plan, before anybody is asked to apply it."""

from __future__ import annotations

from collections.abc import Iterator

from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.results import UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change

_SETS = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE})
_SHOWN = 120


def tell(context: RunContext, result: UnitResult) -> None:
    """Tell what AWS would refuse of the values that a unit's plan sets. It stops nothing: AWS has the last word."""
    for change in result.changes:
        for text in refusals(context, change):
            context.tell(Note(f"`{result.unit}`: AWS would refuse {text}"))


def refusals(context: RunContext, change: Change) -> Iterator[str]:
    """The new values of a change that AWS would refuse, each with resource, attribute, value, rule and source."""
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
