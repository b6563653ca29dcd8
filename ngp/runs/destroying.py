"""Destroy of a run: shows what will be deleted, asks, and deletes the units in reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ngp.errors import Finding, MissingError, NgpError, RefusedError, StoppedError
from ngp.runs import data_loss, describing, graph, leftovers, planning, protection, scheduler, watching, wires
from ngp.runs.context import RunContext
from ngp.runs.events import Phase, UnitEntered, UnitFinished
from ngp.runs.joint import applying as joint_apply
from ngp.runs.joint import edges, record, recovery, state_locks
from ngp.runs.joint import planning as joint
from ngp.runs.proposed import Propose, Proposed
from ngp.runs.results import Counts, Outcome, RunResult, UnitResult, Verb, fail
from ngp.runs.states import require_readable
from ngp.runs.units import Unit
from ngp.terraform.commands import ApplyOptions


@dataclass(frozen=True)
class DestroyConsent:
    """A function that asks the operator. `is_typed` says that the answer is the environment's name, typed after seeing
    what will be deleted: that covers its data. A plain yes covers only data-bearing resources accepted by name."""

    agree: Callable[[RunResult], bool]
    is_typed: bool = False


def plan_now(context: RunContext, held: state_locks.StateLocks) -> Proposed:
    """Plan the destruction of the run's units, under its locks."""
    planned = joint.plan(context, planning.expect_outputs(context), held.tree, apart=held.apart, kind="apply")
    held.note_plan(planned)
    results = {**planned.results, **plan_apart(context, planned)}
    return Proposed(planned, planning.collect(context, Verb.DESTROY, results, 0.0))


def destroy(
    context: RunContext, consent: DestroyConsent, *, propose: Propose = plan_now, finish: planning.Finish | None = None
) -> RunResult:
    """Plan the end of all units, ask once with all of it, and apply exactly that plan.

    Separate units are destroyed before the others: everything that depends on such a unit is separate, too.
    `propose` gives the plan: it makes one, or opens a bundle. A dry run ends after the plan and asks nothing; `finish`
    makes something of it before its files are deleted.
    Raises RefusedError (3) for a wrong account, a loss of data that was not agreed to, or a unit that others still
    stand on, MissingError (69) where the states cannot be reached, LockHeldError (5) for a locked state.
    """
    context.access.session.require_account(context.resolved.environment.account)
    planning.missing_bucket(context)  # report problems with all states once, not for each unit
    _settle_earlier(context)
    context = _in_applied_order(context)
    start = time.monotonic()
    absent = {name: _absent(context, name) for name in context.needs if not _is_there(context, name)}
    there = [name for name in context.needs if name not in absent]
    if not there:
        return planning.collect(context, Verb.DESTROY, absent, time.monotonic() - start)
    context = _destroying(context, there)
    try:
        with state_locks.acquire(context, take=not context.request.is_dry_run) as held:
            proposed = propose(context, held)
            planned, alone = proposed.planned, {one.unit: one for one in proposed.previews.units}
            preview = planning.collect(context, Verb.DESTROY, {**absent, **alone}, time.monotonic() - start)
            if any(not unit.outcome.is_good for unit in preview.units) or preview.stopped_by:
                return preview
            if finish is not None:
                finish(preview, planned, {})
            if context.request.is_dry_run or all(unit.outcome is Outcome.NO_CHANGES for unit in preview.units):
                return preview
            if not consent.is_typed:
                data_loss.require_none(context.resolved, preview.changes, context.request.may_lose_data)
            if not consent.agree(preview):
                raise NgpError("nothing was destroyed", why="you answered no")
            if planned.joint is not None:
                held.require_unmoved(planned.joint)  # before the first deletion, and again before the rest
            proposed.begin()
            results = {**absent, **_destroy_apart(context, planned, alone)}
            results |= _destroy_joint(context, planned, held, results)
            edges.settle(context, results)
        return planning.collect(context, Verb.DESTROY, results, time.monotonic() - start)
    finally:
        for unit in there:
            _file(context, unit).unlink(missing_ok=True)


def _settle_earlier(context: RunContext) -> None:
    """Finish what killed runs began; a dry run refuses (5) instead."""
    if context.request.is_dry_run:
        record.require_none(context.resolved.platform.workspace, context.name)
    else:
        recovery.recover(context)
        protection.clear(context.request, context.resolved)


def _in_applied_order(context: RunContext) -> RunContext:
    """Return the same run with the order in which its units were applied; see `_require_free`."""
    standing = edges.combine({name: unit.needs for name, unit in context.units.items()}, edges.load(context))
    _require_free(context, standing)
    return replace(context, needs=graph.select(standing, context.needs))


def _destroying(context: RunContext, there: Collection[str]) -> RunContext:
    """Return the same run with only the units that exist, and with plans that destroy."""
    options = replace(context.request.options, destroy=True)
    request = replace(context.request, options=options)
    return replace(context, request=request, needs=graph.select(context.needs, there))


def _is_there(context: RunContext, name: str) -> bool:
    """Whether a unit has something to destroy, or a state that was never written, which its plan then reports."""
    unit = context.units[name]
    try:
        leftovers.require_recovered(unit.root, context.copy(unit))
    except NgpError:
        return True
    state = planning.read_state(context, name)
    return state is not None and bool(state.resources or state.outputs)


def _absent(context: RunContext, name: str) -> UnitResult:
    unit = context.units[name]
    return UnitResult(name, unit.module, context.waves[name], Outcome.NO_CHANGES, reason="it has no resources")


def plan_apart(context: RunContext, planned: joint.JointPlan) -> dict[str, UnitResult]:
    """Plan the destruction of each separate unit in its own root. The run's folder keeps the saved plans."""
    return scheduler.run(
        scheduler.Schedule({unit: frozenset() for unit in planned.apart}, context.request.parallelism),
        lambda unit: _with_events(context, _plan(context, unit)),
        lambda unit, reason: _with_events(context, planning.skipped(context, unit, reason)),
        stop=context.stop,
    )


def _destroy_apart(
    context: RunContext, planned: joint.JointPlan, plans: Mapping[str, UnitResult]
) -> dict[str, UnitResult]:
    needs = {name: context.needs[name] & planned.apart.keys() for name in planned.apart}
    return scheduler.run(
        scheduler.Schedule(graph.reverse(needs), context.request.parallelism, fail_fast=True),
        lambda unit: _with_events(context, _destroy(context, plans[unit])),
        lambda unit, reason: _with_events(context, planning.skipped(context, unit, reason)),
        stop=context.stop,
    )


def _destroy_joint(
    context: RunContext, planned: joint.JointPlan, held: state_locks.StateLocks, before: Mapping[str, UnitResult]
) -> dict[str, UnitResult]:
    """Apply the joint plan, unless a unit that depends on its units still exists."""
    if planned.joint is None:
        return {}
    bad = sorted(name for name, result in before.items() if not result.outcome.is_good)
    if bad or context.stop.is_set():
        reason = f"needed by {', '.join(f'`{name}`' for name in bad)}" if bad else "the run was interrupted"
        return {name: _with_events(context, planning.skipped(context, name, reason)) for name in planned.results}
    held.require_unmoved(planned.joint)
    results = joint_apply.apply(context, planned, held)
    for name, result in results.items():
        _with_events(context, result)
        if result.outcome is Outcome.DESTROYED:
            (context.units[name].root / wires.FILE).unlink(missing_ok=True)
    return results


def _require_free(context: RunContext, needs: graph.Needs) -> None:
    """Raise RefusedError (3) if a unit that stays was applied with outputs of one that is destroyed.

    Units that the environment no longer declares do not count: the result names what is left of them.
    """
    others = graph.dependants(needs, context.needs) & context.units.keys()
    standing = [
        name
        for name in sorted(others - set(context.needs))
        if (state := planning.read_state(context, name)) is not None and state.resources
    ]
    if standing:
        raise RefusedError(
            [
                Finding(
                    f"`{name}` still uses what would be destroyed",
                    todo=f"add it to the command, or destroy it first: ngp destroy {context.name} {name}",
                )
                for name in standing
            ]
        )


def _plan(context: RunContext, name: str) -> UnitResult:
    start = time.monotonic()
    unit = context.units[name]
    result = UnitResult(name, unit.module, context.waves[name], Outcome.NO_CHANGES)
    try:
        leftovers.require_recovered(unit.root, context.copy(unit))
        state = planning.read_state(context, name)
        if state is not None:
            require_readable(context, unit, state)
        context.emit(UnitEntered(name, Phase.PLAN))
        _supply(context, unit)
        root, watch = context.root(unit), watching.UnitWatcher(context, unit)
        ready = context.terraform.init(root, watch=watch.call)
        ready.require_prerequisites()
        if not ready.is_ok:
            return watch.failed(result, ready)
        options = replace(context.options(name), out=_file(context, name))
        outcome = context.terraform.plan(root, options, secrets=context.secrets(unit), watch=watch.call)
        if not outcome.is_ok:
            return watch.failed(result, outcome)
        planned = describing.describe(result, context.terraform.show_plan(root, _file(context, name)))
        describing.emit_invocations(context, planned)
        return replace(planned, duration_s=time.monotonic() - start)
    except MissingError:
        raise  # nothing has started: this ends the run, whichever unit found it
    except (NgpError, StoppedError) as error:
        return fail(result, error)


def _supply(context: RunContext, unit: Unit) -> None:
    """Return the values of the unit's wires, taken from its last apply if an upstream unit is already destroyed."""
    try:
        wires.put(unit, lambda name: planning.read_state(context, name))
    except MissingError:
        raise
    except NgpError:
        if not (unit.root / wires.FILE).is_file():
            raise


def _destroy(context: RunContext, planned: UnitResult) -> UnitResult:
    if planned.outcome is Outcome.NO_CHANGES:
        return planned
    start = time.monotonic()
    unit = context.units[planned.unit]
    context.emit(UnitEntered(unit.name, Phase.DESTROY, planned.counts.steps))
    root, watch = context.root(unit), watching.UnitWatcher(context, unit)
    watch.expect(planned.counts)
    options = ApplyOptions(lock_timeout=context.request.options.lock_timeout)
    try:
        secrets = context.secrets(unit)
        done = context.terraform.apply(root, _file(context, unit.name), options, secrets=secrets, watch=watch.call)
    except (NgpError, StoppedError) as error:
        return fail(replace(planned, counts=Counts()), error)
    planned = replace(planned, duration_s=time.monotonic() - start)
    if not done.is_ok:
        return watch.failed(planned, done)
    (unit.root / wires.FILE).unlink(missing_ok=True)
    return replace(planned, outcome=Outcome.DESTROYED)


def _file(context: RunContext, unit: str) -> Path:
    return context.folder / f"{unit}.plan"


def _with_events(context: RunContext, result: UnitResult) -> UnitResult:
    context.emit(UnitFinished(result))
    return result
