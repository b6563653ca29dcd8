"""Follows the Terraform calls of one unit: emits their events, and turns a failure into a result with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ngp.errors import Finding, NgpError
from ngp.runs import contention, leftovers, locking, origins
from ngp.runs.context import RunContext
from ngp.runs.events import ResourceStep, UnitDiagnosed, UnitProgressed
from ngp.runs.results import Counts, Outcome, UnitResult, explain
from ngp.runs.units import Unit
from ngp.state import reading
from ngp.terraform import driver, events
from ngp.terraform.results import Result

_STALE = "Saved plan is stale"
_COUNTED = frozenset({"create", "update", "delete"})  # reading data and opening ephemerals are not changes


class UnitWatcher:
    """Counts a unit's finished resources while Terraform works, and emits progress."""

    def __init__(self, context: RunContext, unit: Unit) -> None:
        self._context, self._unit = context, unit
        self._total = 0
        self._done: Counter[str] = Counter()  # by Terraform's word for the action
        self.call = driver.Watch(on_event=self._on_event, log=context.log(unit.name), unit=unit.name)

    def expect(self, counts: Counts) -> None:
        """Set how many operations an apply takes."""
        self._total = counts.steps

    def failed(self, result: UnitResult, outcome: Result) -> UnitResult:
        """Return the unit's result after a failed call; it counts what was done, not what was planned."""
        log = self._context.log_name(self._unit.name)
        outcome = replace(outcome, diagnostics=tuple(map(self._located, outcome.diagnostics)))
        result = replace(result, diagnostics=outcome.diagnostics, log=log, counts=self._counts())
        if outcome.lock_holder is not None:
            held = contention.explain(self._context, self._unit, outcome.lock_holder, duration_s=outcome.duration_s)
            return explain(replace(result, outcome=Outcome.LOCKED), held)
        if outcome.errored_state is not None:
            what = "Terraform could not write the state, and only this file records what it created"
            finding = leftovers.errored(outcome.errored_state, what, self._unit.root, self._context.copy(self._unit))
            return explain(replace(result, outcome=Outcome.FAILED), finding)
        if outcome.exit_code < 0:
            how = Outcome.STOPPED if outcome.stopped else Outcome.FAILED
            killed = Finding(self._killed(-outcome.exit_code, is_stopped=outcome.stopped))
            return explain(replace(result, outcome=how), killed)
        if outcome.stopped:
            return replace(result, outcome=Outcome.STOPPED, reason="interrupted; Terraform stopped cleanly")
        if any(one.summary == _STALE for one in outcome.errors):
            stale = Finding("its state has changed since the plan", todo=f"ngp apply {self._context.name}")
            return explain(replace(result, outcome=Outcome.STALE), stale)
        first = next((one for one in outcome.errors), None)
        reason = describe(first) if first else f"terraform ended with {outcome.exit_code}"
        return replace(result, outcome=Outcome.FAILED, reason=reason)

    def _killed(self, number: int, *, is_stopped: bool) -> str:
        """Explain that Terraform, or a script that wraps it, was killed by a signal."""
        begin = f"{'interrupted; ' if is_stopped else ''}Terraform was killed by signal {number}"
        try:
            holder = reading.holder(self._unit.place, self._context.access.session)
        except NgpError as error:
            return f"{begin}, and whether it left its lock cannot be seen: {error}"
        if holder is None:
            return f"{begin}; its state is not locked: `ngp plan {self._context.name}` shows what is left to do"
        lost = "its state may lack what it created last"
        return f"{begin}; {lost}, and its lock (by {holder}) remains; {self._lock(holder.who)}"

    def _lock(self, who: str) -> str:
        """Return whether the holder of the unit's lock lives, and how to continue."""
        lives, because = locking.judge(self._context.resolved, self._unit.name, self._unit.root, who)
        release = f"ngp unlock {self._context.name} {self._unit.name}"
        return because if lives else f"{because}; `{release}` releases the lock"

    def _on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Diagnostic):
            self._context.emit(UnitDiagnosed(self._unit.name, self._located(event)))
        elif isinstance(event, events.ResourceDone):
            self._done[event.action] += event.action in _COUNTED
            self._progress(event.address, event.elapsed_s, ResourceStep.DONE)
        elif isinstance(event, events.ResourceStarted):
            self._progress(event.address, 0.0, ResourceStep.STARTED)
        elif isinstance(event, events.ResourceProgress):
            self._progress(event.address, event.elapsed_s, ResourceStep.WORKING)
        elif isinstance(event, events.ResourceFailed):
            self._progress(event.address, event.elapsed_s, ResourceStep.FAILED)

    def _located(self, diagnostic: events.Diagnostic) -> events.Diagnostic:
        return origins.locate(self._context.resolved, self._unit.root, diagnostic)

    def _progress(self, address: str, elapsed_s: float, step: ResourceStep) -> None:
        done = self._done.total()
        self._context.emit(UnitProgressed(self._unit.name, done, max(self._total, done), address, elapsed_s, step))

    def _counts(self) -> Counts:
        return Counts(self._done["create"], self._done["update"], delete=self._done["delete"])


def describe(diagnostic: events.Diagnostic) -> str:
    """Return a diagnostic as one line."""
    place = f" ({diagnostic.place})" if diagnostic.place else ""
    address = f"{diagnostic.address}: " if diagnostic.address else ""
    detail = diagnostic.detail.strip().splitlines()
    return f"{address}{diagnostic.summary}{place}" + (f": {detail[0]}" if detail else "")
