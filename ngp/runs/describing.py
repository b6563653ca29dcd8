"""Converts a unit's plan into its result, and into the outputs that its dependants expect."""

from __future__ import annotations

from dataclasses import replace

from ngp.errors import NgpError
from ngp.runs import preview
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.preview import WiredInput
from ngp.runs.results import Outcome, UnitResult, count
from ngp.runs.units import Unit
from ngp.terraform.plans import Action, Change, OutputChange, Plan
from ngp.terraform.states import State, StateOutput

_IDLE = frozenset({Action.NO_OP, Action.READ})


def describe(result: UnitResult, plan: Plan) -> UnitResult:
    """Add the changes of a plan to a unit's result."""
    own = replace(plan, changes=tuple(one for one in plan.changes if not preview.is_placeholder(one.address)))
    changes = tuple(change for change in own.changes if _does_something(change))
    outputs = {name: change for name, change in plan.outputs.items() if change.action is not Action.NO_OP}
    quiet = not (changes or outputs or plan.invocations)
    changed = {one.address for one in changes}
    return replace(
        result,
        outcome=Outcome.NO_CHANGES if quiet else Outcome.PLANNED,
        counts=count(own),
        changes=tuple(change for change in changes if change.mode == "managed"),
        outputs=outputs,
        invocations=plan.invocations,
        drift=tuple(dict.fromkeys(one.address for one in plan.drift if one.address in changed)),
    )


def emit_invocations(context: RunContext, result: UnitResult) -> None:
    """Emit the actions that Terraform invokes beside a unit's changes, before anybody is asked."""
    for one in result.invocations:
        context.emit(Note(f"`{result.unit}` also invokes {one}"))


def unchanged(context: RunContext, unit: Unit, state: State | None) -> Plan:
    """Return the plan of a unit that does not change, without starting Terraform and its providers.

    An output that the module has and the state lacks is null: a new one would be a change.
    """
    module = context.resolved.catalogue.modules.get(unit.module)
    found = dict.fromkeys(module.outputs if module else (), StateOutput(None))
    found |= state.outputs if state else {}
    return Plan(
        (),
        {
            name: OutputChange(name, Action.NO_OP, one.value, one.value, sensitive=one.sensitive)
            for name, one in found.items()
        },
    )


def wired(context: RunContext, unit: Unit, known: ExpectedOutputs) -> tuple[WiredInput, ...]:
    """Return the expected outputs that feed a unit's inputs. Raises NgpError for a sensitive output."""
    for wire in unit.wires:
        if known.get(wire).sensitive:
            what = f"{wire.origin} is sensitive, so ngp does not pass it on"
            raise NgpError(what, todo="wire the ARN of its secret instead")
    return tuple(
        WiredInput(wire.name, wire.type, str(wire.origin), context.waves[wire.origin.unit], known.get(wire))
        for wire in unit.wires
    )


def _does_something(change: Change) -> bool:
    """Whether a change changes anything: imports and moves change the state even without an action."""
    return change.action not in _IDLE or change.importing or bool(change.previous_address)
