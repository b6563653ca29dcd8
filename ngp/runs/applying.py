"""Apply of a run: applies the reviewed joint plan, then the units that are applied separately, within their
previews."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ngp.errors import Finding, MissingError, NgpError, StoppedError
from ngp.runs import (
    data_loss,
    describing,
    planning,
    prerequisites,
    protection,
    reviewed_files,
    scheduler,
    watching,
    wires,
)
from ngp.runs.context import RunContext
from ngp.runs.envelope import surplus, unpreviewed
from ngp.runs.events import Note, Phase, UnitEntered, UnitFinished
from ngp.runs.joint import applying as joint_apply
from ngp.runs.joint import edges, recovery, state_locks
from ngp.runs.joint import planning as joint
from ngp.runs.proposed import Propose, Proposed
from ngp.runs.results import Counts, Outcome, RunResult, UnitResult, Verb, explain, fail
from ngp.runs.units import Wire
from ngp.state import bucket
from ngp.terraform.commands import ApplyOptions
from ngp.terraform.plans import Plan


@dataclass(frozen=True)
class ApplyConsent:
    """Functions that ask the operator: `preview` with all results and the missing state bucket, if any; `deferred` with
    the real plan of a unit that had no preview."""

    preview: Callable[[RunResult, bucket.BucketPlan | None], bool]
    deferred: Callable[[UnitResult], bool]


def plan_now(context: RunContext, held: state_locks.StateLocks) -> Proposed:
    """Plan all units of the run, under its locks."""
    known = planning.expect_outputs(context)
    planned = joint.plan(context, known, held.tree, apart=held.apart, kind="apply")
    held.note_plan(planned)
    seen = reviewed_files.ReviewedFiles.collect((context.units[name] for name in planned.apart), known)
    return Proposed(planned, replace(planning.complete(context, known, planned), verb=Verb.APPLY), seen=seen)


def apply(
    context: RunContext, consent: ApplyConsent, *, propose: Propose = plan_now, may_bootstrap: bool = True
) -> RunResult:
    """Plan all units, ask once, and apply exactly that plan; separate units follow one by one.

    `propose` gives the plan: it makes one, or opens a bundle. The states of all joined units are locked from before
    the plan until the last of them is written.
    Raises, before anything is changed: RefusedError (3) for a wrong account or a loss of data that was not
    agreed to, MissingError (69) for a missing hosted zone or a state bucket that may not be made, LockHeldError (5) for
    a locked state, StaleError (4) for states or files that changed after the plan, NgpError (1) where the answer is no.
    Everything later is in the results.
    """
    context.access.session.require_account(context.resolved.environment.account)
    recovery.recover(context)
    protection.clear(context.request, context.resolved)
    _require_zone(context)
    start = time.monotonic()
    missing = _missing_bucket(context, may_bootstrap=may_bootstrap)
    with state_locks.acquire(context, take=missing is None) as held:
        proposed = propose(context, held)
        planned, seen, previews = proposed.planned, proposed.seen, _grounded(context, proposed.previews)
        assert seen is not None
        if any(not unit.outcome.is_good for unit in previews.units) or previews.stopped_by:
            return previews
        if all(_is_idle(unit) for unit in previews.units):
            return previews
        data_loss.require_none(context.resolved, previews.changes, context.request.may_lose_data)
        if not consent.preview(previews, missing):
            raise NgpError("nothing was applied", why="you answered no")
        seen.require_files()
        if missing is not None and not context.stop.is_set():
            bucket.bootstrap(context.access.session, missing)
            context.emit(Note(f"created the state bucket {missing.bucket}"))
            held.take()
        proposed.begin()
        edges.begin(context, [unit.unit for unit in previews.units if not _is_idle(unit)])
        results = _apply_joint(context, planned, held)
    work = _Work(context, consent, {unit.unit: unit for unit in previews.units}, seen)
    results |= _apply_apart(context, planned, work, results)
    edges.settle(context, results)
    return planning.collect(context, Verb.APPLY, results, time.monotonic() - start)


def _apply_joint(context: RunContext, planned: joint.JointPlan, held: state_locks.StateLocks) -> dict[str, UnitResult]:
    """Apply the joint plan if it changes anything, and emit each unit's result."""
    if planned.joint is None:
        return {}
    idle = all(_is_idle(unit) for unit in planned.results.values())
    if context.stop.is_set():
        results = {name: planning.skipped(context, name, "the run was interrupted") for name in planned.results}
    elif idle:
        results = dict(planned.results)
    else:
        held.require_unmoved(planned.joint)
        results = joint_apply.apply(context, planned, held)
    for result in results.values():
        context.emit(UnitFinished(result))
    return results


def _apply_apart(
    context: RunContext, planned: joint.JointPlan, work: _Work, done: Mapping[str, UnitResult]
) -> dict[str, UnitResult]:
    """Plan and apply the separate units, each as soon as its upstream units are applied."""
    needs = {name: context.needs[name] & planned.apart.keys() for name in context.needs if name in planned.apart}
    bad = {name for name, result in done.items() if not result.outcome.is_good}

    def apply(name: str) -> UnitResult:
        lacking = sorted(context.needs[name] & bad)
        if lacking:
            return planning.skipped(context, name, f"needs {', '.join(f'`{one}`' for one in lacking)}")
        return work.apply(name)

    return scheduler.run(
        scheduler.Schedule(needs, context.request.parallelism, fail_fast=True),
        apply,
        lambda unit, reason: planning.finish(context, planning.skipped(context, unit, reason)),
        stop=context.stop,
    )


def _require_zone(context: RunContext) -> None:
    """Raise MissingError (69) if a chosen module writes into the domain's hosted zone and the zone is missing."""
    environment, modules = context.resolved.environment, context.resolved.catalogue.modules
    names = {name for unit in context.needs for name in context.units[unit].sources}
    if any("hosted_zone" in modules[environment.units[name].module].manifest.preflight for name in names):
        prerequisites.require_zone(environment, context.access.session)


class _Work:
    """Applies units in several threads; only one at a time asks the operator."""

    def __init__(
        self,
        context: RunContext,
        consent: ApplyConsent,
        previews: Mapping[str, UnitResult],
        seen: reviewed_files.ReviewedFiles,
    ) -> None:
        self._context, self._consent, self._previews, self._seen = context, consent, previews, seen
        self._asking = threading.Lock()

    def apply(self, name: str) -> UnitResult:
        preview = self._previews[name]
        if _is_idle(preview):
            return preview
        preview = replace(preview, log=self._context.log_name(name))
        start = time.monotonic()
        try:
            result = self._apply(preview)
        except (NgpError, StoppedError) as error:
            result = fail(replace(preview, counts=Counts()), error)
        result = replace(result, duration_s=time.monotonic() - start)
        self._context.emit(UnitFinished(result))
        return result

    def _apply(self, preview: UnitResult) -> UnitResult:
        context, unit = self._context, self._context.units[preview.unit]
        context.emit(UnitEntered(unit.name, Phase.PLAN))
        wired = wires.values(unit, lambda name: planning.read_state(context, name), self._is_null)
        wires.write(unit, wired)
        root = context.root(unit)
        watch = watching.UnitWatcher(context, unit)
        ready = context.terraform.init(root, watch=watch.call)
        if not ready.is_ok:
            return watch.failed(preview, ready)
        file = context.folder / f"{unit.name}.plan"
        try:
            secrets = context.secrets(unit)
            options = replace(context.options(unit.name), out=file)
            planned = context.terraform.plan(root, options, secrets=secrets, watch=watch.call)
            if not planned.is_ok:
                return watch.failed(preview, planned)
            # Terraform has read the files now, so it applies what was compared
            if moved := self._seen.moved(unit.name, wired):
                return replace(preview, counts=Counts(), outcome=Outcome.STALE, reason=moved)
            if not planned.has_changes:
                return _left_alone(replace(preview, outcome=Outcome.NO_CHANGES, diagnostics=planned.diagnostics))
            real = context.terraform.show_plan(root, file)
            result = replace(
                describing.describe(preview, real), is_preview=False, unknowns=(), diagnostics=planned.diagnostics
            )
            if result.outcome is Outcome.NO_CHANGES:
                return _left_alone(result)
            describing.emit_invocations(context, result)
            refusal = self._refusal(preview, result, real)
            if refusal:
                return explain(replace(result, counts=Counts(), outcome=Outcome.REFUSED), *refusal)
            context.emit(UnitEntered(unit.name, Phase.APPLY, result.counts.steps))
            watch.expect(result.counts)
            locking = ApplyOptions(lock_timeout=options.lock_timeout)
            applied = context.terraform.apply(root, file, locking, secrets=secrets, watch=watch.call)
            return replace(result, outcome=Outcome.APPLIED) if applied.is_ok else watch.failed(result, applied)
        finally:
            file.unlink(missing_ok=True)

    def _is_null(self, wire: Wire) -> bool:
        """Whether an output of a unit is null: a unit that this run applied as a whole has no other outputs."""
        if wire.origin.unit in self._context.needs:
            return True
        self._seen.known.learn([wire])
        return self._seen.known.is_null(wire)

    def _refusal(self, preview: UnitResult, result: UnitResult, real: Plan) -> list[Finding]:
        context = self._context
        again = f"{context.name} {result.unit}"
        if preview.outcome is Outcome.DEFERRED:
            lost = data_loss.find(context.resolved, {result.unit: real.changes}, context.request.may_lose_data)
            if lost:
                return lost
            with self._asking:
                agreed = self._consent.deferred(result)
            what = "it could not be previewed, and you did not agree to its real plan"
            is_bound = context.request.authority is not None
            todo = f"ngp plan {again} --out FILE, and have it approved" if is_bound else f"ngp apply {again}"
            return [] if agreed else [Finding(what, todo=f"{todo} (what it needs exists now)")]
        found = (*surplus(preview.changes, real.changes), *unpreviewed(preview.invocations, real.invocations))
        more = "; ".join(map(str, found))
        what = "its real plan does more than was previewed"
        return [Finding(what, why=more, todo=f"to review it: ngp plan {again}")] if more else []


def _is_idle(preview: UnitResult) -> bool:
    """Whether a unit has no changes, and no unknown inputs that could cause some."""
    return preview.outcome is Outcome.NO_CHANGES and not preview.is_preview


def _left_alone(result: UnitResult) -> UnitResult:
    return replace(
        result,
        counts=Counts(),
        changes=(),
        outputs={},
        unknowns=(),
        is_preview=False,
        reason="nothing was left to do once its inputs were known",
    )


def _grounded(context: RunContext, previews: RunResult) -> RunResult:
    """Fail units, before anything is asked, that need outputs which neither this run nor an earlier one made."""

    def ground(result: UnitResult) -> UnitResult:
        beyond = sorted({one.origin for one in result.unknowns if one.origin.split(".")[0] not in context.needs})
        if not beyond:
            return result
        units = " ".join(sorted({origin.split(".")[0] for origin in beyond}))
        todo = f"apply `{units}` first, or add it to the command: ngp apply {context.name} {units} {result.unit}"
        verb = "does" if len(beyond) == 1 else "do"
        finding = Finding(f"it needs {', '.join(beyond)}, which {verb} not exist yet", todo=todo)
        return explain(replace(result, outcome=Outcome.FAILED), finding)

    return replace(previews, units=tuple(ground(unit) for unit in previews.units))


def _missing_bucket(context: RunContext, *, may_bootstrap: bool) -> bucket.BucketPlan | None:
    missing = planning.missing_bucket(context)
    if missing is not None and not may_bootstrap:
        todo = f"ngp state bootstrap {context.name}"
        raise MissingError(f"the state bucket {missing.bucket} does not exist", todo=todo)
    return missing
