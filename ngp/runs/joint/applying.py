"""Applies the joint plan, saves each unit's state, and determines each unit's result."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from ngp.errors import NgpError
from ngp.runs import preview, wires
from ngp.runs.context import RunContext
from ngp.runs.joint import planning, states
from ngp.runs.joint.checkpoints import Checkpoints, Copies
from ngp.runs.joint.checkpoints import is_final as is_last_word
from ngp.runs.joint.following import ApplyWatcher
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.record import JointStage
from ngp.runs.joint.saving import Saver
from ngp.runs.joint.state_locks import StateLocks
from ngp.runs.joint.unit_results import UnitResults
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.runs.units import Unit
from ngp.state import storing
from ngp.terraform import states as values
from ngp.terraform.commands import ApplyOptions

_SETTLED = frozenset({Outcome.APPLIED, Outcome.NO_CHANGES})


def apply(context: RunContext, planned: JointPlan, locks: StateLocks) -> dict[str, UnitResult]:
    """Apply the saved joint plan; return the result of each of its units.

    The states of the units are written during the apply and at its end. One that cannot be written stays in the run's
    folder, and the next apply writes it first.
    """
    joint = planned.joint
    assert joint is not None
    locks.record.update(stage=JointStage.APPLYING)
    saver = Saver(
        context.access.session.steady(),
        locks.record,
        {name: joint.documents.get(name) for name in joint.units},
        lambda name: planning.declared(joint, name),
    )
    copies = Copies(joint.root.path / preview.STATE, context.folder, joint.lineage)
    copies.read_current()  # before Terraform's first write, during which it may be killed
    follow = ApplyWatcher(context, planned)
    follow.estimate()
    with Checkpoints(copies, saver, follow.expected) as follow.checkpoints:
        outcome = context.terraform.apply(
            joint.root,
            joint.plan,
            ApplyOptions(parallelism=context.request.options.parallelism or planning.at_once(context, joint)),
            secrets=planning.secrets(context, joint),
            watch=follow.call,
        )
    document = copies.read_last()
    failed = [one.summary for one in outcome.errors]
    is_final = document is not None and is_last_word(document, outcome.exit_code, failed, outcome.errored_state)
    lost = follow.created.unknown(locks.record.record.made(document or {}))
    locks.record.update(stage=JointStage.SAVING, is_final=is_final, unsaved=tuple(joint.units), lost=lost)
    follow.remember()
    unsaved = saver.save(document, joint.units, is_final=is_final) if document is not None else {}
    if document is not None:
        stage = JointStage.SAVING if unsaved else JointStage.SAVED
        locks.record.update(stage=stage, unsaved=tuple(unsaved))
    parts = joint.partition.split(document) if document is not None else {}
    judge = UnitResults(context, planned, follow, outcome)
    results = {name: judge.result(name, parts.get(name), unsaved.get(name), lost) for name in joint.units}
    for name, result in results.items():
        if result.outcome in _SETTLED:
            _write_wires(context, joint.units[name], parts)
    return results


def _write_wires(context: RunContext, unit: Unit, parts: Mapping[str, states.StatePart]) -> None:
    """Write the upstream outputs into a unit's own root, for plain Terraform."""

    def read(name: str) -> values.State | None:
        if name not in parts:
            text = storing.fetch(context.units[name].place, context.access.session.steady()).text
            return values.parse(text) if text else None
        part = parts[name]
        held = tuple(values.StateResource(address, "") for address in states.addresses({"resources": part.resources}))
        return values.State(outputs=values.outputs(part.outputs), resources=held)

    with suppress(NgpError, OSError):  # whoever needs it reports what is missing
        wires.put(unit, read)
