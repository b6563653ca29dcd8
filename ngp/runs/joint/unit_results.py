"""Determines the result of each unit of a joint apply from the unit's own resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ngp.errors import NgpError
from ngp.runs import watching
from ngp.runs.context import RunContext
from ngp.runs.events import UnitDiagnosed
from ngp.runs.joint import diagnostics, states
from ngp.runs.joint.composition import NAME
from ngp.runs.joint.following import ApplyWatcher
from ngp.runs.joint.planning import JointPlan
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult, Verb, fail
from ngp.terraform import events
from ngp.terraform.plans import Action, OutputChange
from ngp.terraform.results import Result

_SIGNALLED = 128  # a shell adds the signal's number to this in the exit code of a killed program
_SHOWN = 3  # missing resources that a result names


@dataclass(frozen=True)
class UnitResults:
    """Determines the result of each unit."""

    context: RunContext
    planned: JointPlan
    follow: ApplyWatcher
    outcome: Result

    def result(
        self, name: str, part: states.StatePart | None, unsaved: NgpError | None, lost: tuple[str, ...]
    ) -> UnitResult:
        """Return the result of one unit. `part` is its part of the joint state, None if there is no state."""
        joint, before = self.planned.joint, self.planned.results[name]
        assert joint is not None
        about = [one for one in self.outcome.diagnostics if name in diagnostics.about(one, joint)]
        mine = [diagnostics.located(one, joint, self.context.resolved) for one in about]
        for diagnostic in mine:
            self.context.emit(UnitDiagnosed(name, diagnostic))
        took = before.duration_s + self.follow.units[name].took_s
        result = replace(before, diagnostics=tuple(mine), log=self.context.log_name(NAME), duration_s=took)
        result = self._outcome(result, part, [one for one in mine if one.severity == "error"])
        gone = [address for address in lost if joint.partition.owner(address) == name]
        if gone:
            made = f"{', '.join(gone)} was being created when Terraform was killed"
            why = f"{made}: it may exist, but no state contains it"
            result = replace(result, outcome=Outcome.FAILED, reason=why)
        if unsaved is not None:
            result = fail(result, unsaved)
        return result

    def _outcome(
        self, result: UnitResult, part: states.StatePart | None, errors: list[events.Diagnostic]
    ) -> UnitResult:
        progress = self.follow.units[result.unit]
        missing = progress.missing
        if result.outcome is Outcome.NO_CHANGES and not errors:
            return result
        # Terraform reports only one of two objects deleted at one address; its exit code covers both
        if not errors and (self.outcome.is_ok or (not missing and _has_outputs(result, part))):
            good = Outcome.DESTROYED if self.context.request.verb is Verb.DESTROY else Outcome.APPLIED
            return replace(result, outcome=good)
        result = replace(result, counts=progress.counts)
        done = f"({progress.done.total()} of {self.follow.expected[result.unit]} done{_named(missing)})"
        if self.outcome.stopped and missing and not progress.has_failed:
            return replace(result, outcome=Outcome.STOPPED, reason=f"interrupted {done}")
        if errors:
            return replace(result, outcome=Outcome.FAILED, reason=f"{watching.describe(errors[0])} {done}")
        if not self._others(result.unit):  # the error names no unit, so every unit failed
            return replace(result, outcome=Outcome.FAILED, reason=f"{self._why()} {done}")
        if not progress.done:
            return replace(result, outcome=Outcome.SKIPPED, reason=self._why())
        return replace(result, outcome=Outcome.PARTLY, reason=f"{self._why()} {done}")

    def _others(self, unit: str) -> set[str]:
        """Return the other units that the errors concern."""
        joint = self.planned.joint
        assert joint is not None
        return {name for one in self.outcome.errors for name in diagnostics.about(one, joint)} - {unit}

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
    """Name the first of the missing resources and the number of others."""
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"; missing: {', '.join(missing[:_SHOWN])}{more}" if missing else ""


def _has_outputs(result: UnitResult, part: states.StatePart | None) -> bool:
    """Whether the planned outputs have their new values after an apply that failed elsewhere."""
    return part is not None and all(
        one.action is Action.DELETE or (name in part.outputs and _is_set(one, part.outputs[name].get("value")))
        for name, one in result.outputs.items()
    )


def _is_set(planned: OutputChange, value: Any) -> bool:
    """Whether an output has the planned value; if that was unknown or is masked, whether it changed."""
    if planned.sensitive or planned.after_unknown is not False:
        return planned.action is Action.CREATE or bool(value != planned.before)
    return bool(value == planned.after)
