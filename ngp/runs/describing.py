"""What a plan says of a unit: its result, and what it puts out for the units that take from it."""

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
    """Put what a plan is to do into a unit's result."""
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


def tell_invocations(context: RunContext, result: UnitResult) -> None:
    """Tell which actions Terraform invokes beside a unit's changes, before anybody is asked."""
    for one in result.invocations:
        context.tell(Note(f"`{result.unit}` also invokes {one}"))


def unchanged(context: RunContext, unit: Unit, state: State | None) -> Plan:
    """The plan of a unit that stays as it is, without asking Terraform, which would start every provider for it.

    An output that the module has and the state lacks is null: one that was never made would be a change.
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
    """What feeds a unit's inputs. Raises NgpError for a sensitive output."""
    for wire in unit.wires:
        if known.get(wire).sensitive:
            what = f"{wire.origin} is sensitive, so ngp does not pass it on"
            raise NgpError(what, todo="wire the ARN of its secret instead")
    return tuple(
        WiredInput(wire.name, wire.type, str(wire.origin), context.waves[wire.origin.unit], known.get(wire))
        for wire in unit.wires
    )


def _does_something(change: Change) -> bool:
    """An import and a move change the state even where the resource stays as it is."""
    return change.action not in _IDLE or change.importing or bool(change.previous_address)
