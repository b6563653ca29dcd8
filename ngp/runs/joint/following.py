"""Follows a joint apply: the steps of each unit that are done, running or missing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ngp.runs.context import RunContext
from ngp.runs.events import Phase, RunEstimated, UnitEntered, UnitProgressed
from ngp.runs.events import ResourceStep as StepState
from ngp.runs.joint import estimates
from ngp.runs.joint.checkpoints import Checkpoints
from ngp.runs.joint.composition import NAME
from ngp.runs.joint.created_objects import CreatedObjects
from ngp.runs.joint.planning import JointPlan
from ngp.runs.results import Counts, Verb
from ngp.terraform import driver, events
from ngp.terraform.plans import Action, Change

_STEPS: Mapping[Action, tuple[str, ...]] = {
    Action.CREATE: ("create",),
    Action.UPDATE: ("update",),
    Action.DELETE: ("delete",),
    Action.REPLACE: ("create", "delete"),
}
_COUNTED = frozenset({"create", "update", "delete"})


@dataclass
class UnitProgress:
    """The progress of one unit's plan. A step is a resource's address and an action."""

    planned: Counter[tuple[str, str]]
    began: float
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    at_s: dict[tuple[str, str], float] = field(default_factory=dict)  # when each step was done, from the start
    is_entered: bool = False
    has_failed: bool = False  # not by an interruption
    took_s: float = 0.0

    def take(self, step: tuple[str, str], state: StepState) -> bool:
        """Record a step; return whether it is the unit's first."""
        is_first, self.is_entered = not self.is_entered, True
        if state is StepState.DONE:
            self.done[step] += 1
            self.took_s = self.at_s[step] = time.monotonic() - self.began
        return is_first

    @property
    def missing(self) -> list[str]:
        """Return the addresses of planned steps that were not done, in the order of the plan."""
        return list(dict.fromkeys(address for address, _ in self.planned - self.done))

    @property
    def counts(self) -> Counts:
        words = Counter[str]()
        for (_, action), number in self.done.items():
            words[action] += number
        return Counts(words["create"], words["update"], delete=words["delete"])


class ApplyWatcher:
    """Counts the steps of an apply by unit, and reports them to the run and the checkpoints."""

    def __init__(self, context: RunContext, planned: JointPlan) -> None:
        assert planned.joint is not None
        self._context, self._partition = context, planned.joint.partition
        self.units = {
            name: UnitProgress(Counter(step for change in part.changes for step in _steps(change)), time.monotonic())
            for name, part in planned.parts.items()
        }
        self.expected = {name: one.planned.total() for name, one in self.units.items()}
        self.checkpoints: Checkpoints | None = None
        self.created = CreatedObjects()
        self._verb = Phase.DESTROY if context.request.verb is Verb.DESTROY else Phase.APPLY
        self._guard = threading.Lock()
        self.call = driver.Watch(on_event=self._on_event, log=context.log(NAME), unit=NAME)

    def estimate(self) -> None:
        """Emit the estimate from earlier runs."""
        steps = [step for one in self.units.values() for step in one.planned]
        seconds = estimates.estimate(self._context.resolved.platform.workspace, self._context.name, steps)
        if seconds is not None:
            self._context.emit(RunEstimated(seconds))

    def remember(self) -> None:
        """Store when each step ended, for later estimates."""
        done = {step: at_s for one in self.units.values() for step, at_s in one.at_s.items()}
        estimates.save(self._context.resolved.platform.workspace, self._context.name, done)

    def _on_event(self, event: events.Event) -> None:
        self.created.take(event)
        match event:
            case events.ResourceStarted(address, action) if action in _COUNTED:
                self._take(address, action, 0.0, StepState.STARTED)
            case events.ResourceDone(address, action, elapsed_s) if action in _COUNTED:
                self._take(address, action, elapsed_s, StepState.DONE)
            case events.ResourceFailed(address, action, elapsed_s) if action in _COUNTED:
                self._take(address, action, elapsed_s, StepState.FAILED)
            case events.ResourceProgress(address, elapsed_s) if name := self._partition.owner(address):
                self._emit(name, address, elapsed_s, StepState.WORKING)

    def _take(self, address: str, action: str, elapsed_s: float, state: StepState) -> None:
        name = self._partition.owner(address)
        if not name:
            return
        with self._guard:
            is_new = self.units[name].take((address, action), state)
            if state is StepState.FAILED and not self._context.stop.is_set():
                self.units[name].has_failed = True
        if is_new:
            self._context.emit(UnitEntered(name, self._verb, self.expected[name]))
        self._emit(name, address, elapsed_s, state)
        if state is StepState.DONE and self.checkpoints is not None:
            self.checkpoints.done(name)

    def _emit(self, name: str, address: str, elapsed_s: float, state: StepState) -> None:
        done = self.units[name].done.total()
        total = max(self.expected[name], done)
        self._context.emit(UnitProgressed(name, done, total, address, elapsed_s, state))


def _steps(change: Change) -> list[tuple[str, str]]:
    if change.mode != "managed":
        return []
    address = change.address.partition(" (deposed object ")[0]
    return [(address, step) for step in _STEPS.get(change.action, ())]
