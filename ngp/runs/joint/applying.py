"""Applies the joint plan that was reviewed, saves each unit's state, and says what became of each unit."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ngp.errors import NgpError
from ngp.runs import preview, watching, wires
from ngp.runs.context import RunContext
from ngp.runs.events import Phase, RunEstimated, UnitDiagnosed, UnitEntered, UnitProgressed
from ngp.runs.joint import diagnostics, estimates, planning, states
from ngp.runs.joint.checkpoints import Checkpoints, Copies
from ngp.runs.joint.composition import NAME
from ngp.runs.joint.holding import Holding
from ngp.runs.joint.planning import Planned
from ngp.runs.joint.record import Stage
from ngp.runs.joint.saving import Saver
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Counts, UnitResult, Verb
from ngp.runs.units import Unit
from ngp.state import storing
from ngp.terraform import driver, events
from ngp.terraform import states as values
from ngp.terraform.commands import ApplyOptions
from ngp.terraform.plans import Action, Change
from ngp.terraform.results import Result

_STEPS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: ("create",),
    Action.UPDATE: ("update",),
    Action.DELETE: ("delete",),
    Action.REPLACE: ("create", "delete"),
}
_COUNTED = frozenset({"create", "update", "delete"})
_SETTLED = frozenset({Outcome.APPLIED, Outcome.NO_CHANGES})
_SIGNALLED = 128  # a shell's exit code for a program that a signal ended is this and the signal's number
_SHOWN = 3  # missing resources that a result names


@dataclass
class _Progress:
    """What Terraform has done of one unit's plan. A step is a resource's address and what is done to it."""

    planned: Counter[tuple[str, str]]
    began: float
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    at_s: dict[tuple[str, str], float] = field(default_factory=dict)  # when each step was done, from the start
    under_way: set[tuple[str, str]] = field(default_factory=set)
    is_entered: bool = False
    took_s: float = 0.0

    @property
    def missing(self) -> list[str]:
        """The addresses of planned steps that were not done, in the order of the plan."""
        return list(dict.fromkeys(address for address, _ in self.planned - self.done))

    @property
    def counts(self) -> Counts:
        words = Counter[str]()
        for (_, action), number in self.done.items():
            words[action] += number
        return Counts(words["create"], words["update"], delete=words["delete"])


def apply(context: RunContext, planned: Planned, holding: Holding) -> dict[str, UnitResult]:
    """Apply the saved joint plan; return the result of each of its units.

    Split states are written while Terraform works and at its end. Where one cannot be written it is kept in the run's
    folder, and the next apply writes it first.
    """
    joint = planned.joint
    assert joint is not None
    holding.record.update(stage=Stage.APPLYING)
    saver = Saver(
        context.access.session,
        holding.record,
        {name: joint.documents.get(name) for name in joint.units},
        lambda name: planning.declared(joint, name),
    )
    copies = Copies(joint.root.path / preview.STATE, context.folder, joint.lineage)
    follow = _Follow(context, planned)
    workspace = context.resolved.platform.workspace
    seconds = estimates.estimate(
        workspace, context.name, [step for one in follow.units.values() for step in one.planned]
    )
    if seconds is not None:
        context.tell(RunEstimated(seconds))
    with Checkpoints(copies, saver, follow.expected) as follow.checkpoints:
        outcome = context.terraform.apply(
            joint.root,
            joint.plan,
            ApplyOptions(parallelism=context.request.options.parallelism or planning.at_once(context, joint)),
            secrets=planning.secrets(context, joint),
            watch=follow.call,
        )
    is_final = outcome.exit_code in (0, 1)  # else it was killed, and wrote no outputs
    holding.record.update(stage=Stage.SAVING, is_final=is_final, unsaved=tuple(joint.units))
    estimates.keep(
        workspace, context.name, {step: at for one in follow.units.values() for step, at in one.at_s.items()}
    )
    document = copies.settle()
    unsaved = saver.save(document, joint.units, is_final=is_final) if document is not None else {}
    lost = _lost(follow, document)
    if document is not None:
        stage = Stage.SAVING if unsaved or lost else Stage.ENDED
        holding.record.update(stage=stage, lost=lost, unsaved=tuple(unsaved))
    parts = states.split(document, joint.units) if document is not None else {}
    judge = _Judge(context, planned, follow, outcome)
    results = {name: judge.result(name, parts.get(name), unsaved.get(name), lost) for name in joint.units}
    for name, result in results.items():
        if result.outcome in _SETTLED:
            _write_wires(context, joint.units[name], parts)
    return results


def _write_wires(context: RunContext, unit: Unit, parts: Mapping[str, states.Part]) -> None:
    """Write the upstream outputs beside a unit's own root, so that plain Terraform has them there too."""

    def read(name: str) -> values.State | None:
        if name not in parts:
            text = storing.fetch(context.units[name].place, context.access.session).text
            return values.parse(text) if text else None
        part = parts[name]
        held = tuple(values.StateResource(address, "") for address in states.addresses({"resources": part.resources}))
        return values.State(outputs=values.outputs(part.outputs), resources=held)

    with suppress(NgpError):  # what is missing there is told by whatever needs it
        wires.put(unit, read)


def _lost(follow: _Follow, document: states.Document | None) -> tuple[str, ...]:
    """What was being created, or was created, and is in no state: it may exist outside of all of them."""
    known = set(states.addresses(document or {}))
    made = {
        address
        for progress in follow.units.values()
        for address, action in (*progress.under_way, *progress.done)
        if action == "create"
    }
    return tuple(sorted(made - known))


class _Follow:
    """Follows the apply: counts steps by unit, and tells the run and the checkpoints."""

    def __init__(self, context: RunContext, planned: Planned) -> None:
        self._context = context
        self.units = {
            name: _Progress(Counter(step for change in part.changes for step in _steps(change)), time.monotonic())
            for name, part in planned.parts.items()
        }
        self.expected = {name: one.planned.total() for name, one in self.units.items()}
        self.checkpoints: Checkpoints | None = None
        self._verb = Phase.DESTROY if context.request.verb is Verb.DESTROY else Phase.APPLY
        self._guard = threading.Lock()
        self.call = driver.Watch(on_event=self._on_event, log=context.log(NAME), unit=NAME)

    def estimate(self) -> None:
        """Tell how long the steps took in earlier runs."""
        steps = [step for one in self.units.values() for step in one.planned]
        seconds = estimates.estimate(self._context.resolved.platform.workspace, self._context.name, steps)
        if seconds is not None:
            self._context.tell(RunEstimated(seconds))

    def remember(self) -> None:
        """Keep when each step was done, for the estimates of later runs."""
        done = {step: at_s for one in self.units.values() for step, at_s in one.at_s.items()}
        estimates.keep(self._context.resolved.platform.workspace, self._context.name, done)

    def _on_event(self, event: events.Event) -> None:
        match event:
            case events.ResourceStarted(address, action) if action in _COUNTED:
                self._take(address, action, 0.0, is_done=False)
            case events.ResourceDone(address, action, elapsed_s) if action in _COUNTED:
                self._take(address, action, elapsed_s, is_done=True)
            case events.ResourceFailed(address, action, _):
                self.units[states.owner(address)].under_way.discard((address, action))
            case events.ResourceProgress(address, elapsed_s):
                self._tell(states.owner(address), address, elapsed_s)

    def _take(self, address: str, action: str, elapsed_s: float, *, is_done: bool) -> None:
        name = states.owner(address)
        if name not in self.units:
            return
        one = self.units[name]
        with self._guard:
            if is_done:
                one.under_way.discard((address, action))
                one.done[address, action] += 1
                one.took_s = one.at_s[address, action] = time.monotonic() - one.began
            else:
                one.under_way.add((address, action))
            is_new, one.is_entered = not one.is_entered, True
        if is_new:
            self._context.tell(UnitEntered(name, self._verb, self.expected[name]))
        self._tell(name, address, elapsed_s)
        if is_done and self.checkpoints is not None:
            self.checkpoints.done(name)

    def _tell(self, name: str, address: str, elapsed_s: float) -> None:
        if name in self.units:
            done = self.units[name].done.total()
            total = max(self.expected[name], done)
            self._context.tell(UnitProgressed(name, done, total, address, elapsed_s))


@dataclass(frozen=True)
class _Judge:
    """Tells each unit's result from its own resources."""

    context: RunContext
    planned: Planned
    follow: _Follow
    outcome: Result

    def result(
        self, name: str, part: states.Part | None, unsaved: NgpError | None, lost: tuple[str, ...]
    ) -> UnitResult:
        """The result of one unit; `part` is what the joint state holds of it, None where there is no state."""
        joint, before = self.planned.joint, self.planned.results[name]
        assert joint is not None
        mine = [
            diagnostics.located(one, joint) for one in self.outcome.diagnostics if name in diagnostics.about(one, joint)
        ]
        for diagnostic in mine:
            self.context.tell(UnitDiagnosed(name, diagnostic))
        took = before.duration_s + self.follow.units[name].took_s
        result = replace(before, diagnostics=tuple(mine), log=self.context.log_name(NAME), duration_s=took)
        result = self._outcome(result, part, [one for one in mine if one.severity == "error"])
        gone = [address for address in lost if states.owner(address) == name]
        if gone:
            why = f"{', '.join(gone)} was being created when Terraform was killed: it may exist, and no state has it"
            result = replace(result, outcome=Outcome.FAILED, reason=why)
        if unsaved is not None:
            result = replace(
                result, outcome=Outcome.FAILED, reason=f"{unsaved.findings[0]}: {unsaved.findings[0].todo}"
            )
        return result

    def _outcome(self, result: UnitResult, part: states.Part | None, errors: list[events.Diagnostic]) -> UnitResult:
        progress = self.follow.units[result.unit]
        missing = progress.missing
        if result.outcome is Outcome.NO_CHANGES and not errors:
            return result
        if not missing and not errors and (self.outcome.is_ok or _has_outputs(result, part)):
            good = Outcome.DESTROYED if self.context.request.verb is Verb.DESTROY else Outcome.APPLIED
            return replace(result, outcome=good)
        result = replace(result, counts=progress.counts)
        done = f"({progress.done.total()} of {self.follow.expected[result.unit]} done{_named(missing)})"
        if self.outcome.stopped and missing:
            return replace(result, outcome=Outcome.STOPPED, reason=f"interrupted {done}")
        if errors:
            return replace(result, outcome=Outcome.FAILED, reason=f"{watching.tell(errors[0])} {done}")
        if not progress.done:
            return replace(result, outcome=Outcome.SKIPPED, reason=self._why())
        return replace(result, outcome=Outcome.PARTLY, reason=f"{self._why()} {done}")

    def _why(self) -> str:
        joint = self.planned.joint
        assert joint is not None
        failed = sorted({name for one in self.outcome.errors for name in diagnostics.about(one, joint)})
        if failed:
            return f"what it needs failed in {', '.join(f'`{name}`' for name in failed)}"
        code = self.outcome.exit_code
        if code < 0 or code > _SIGNALLED:
            return f"Terraform was killed by signal {-code if code < 0 else code - _SIGNALLED}"
        return next((one.summary for one in self.outcome.errors), f"Terraform ended with exit code {code}")


def _named(missing: Sequence[str]) -> str:
    """The first of the missing resources, and how many more there are."""
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"; missing: {', '.join(missing[:_SHOWN])}{more}" if missing else ""


def _has_outputs(result: UnitResult, part: states.Part | None) -> bool:
    """Whether the outputs that the plan sets are there, after an apply that failed elsewhere."""
    wanted = {name for name, one in result.outputs.items() if one.action is not Action.DELETE}
    return part is not None and wanted <= part.outputs.keys()


def _steps(change: Change) -> list[tuple[str, str]]:
    if change.mode != "managed":
        return []
    address = change.address.partition(" (deposed object ")[0]
    return [(address, step) for step in _STEPS.get(change.action, ())]
