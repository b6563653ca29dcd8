"""Plans every unit of a run: jointly if possible, else separately, as a preview if some inputs are unknown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ngp.environments.environment import StateKind
from ngp.environments.resolving import Resolved
from ngp.errors import MissingError, NgpError, StoppedError
from ngp.runs import (
    acceptance,
    access,
    duplicate_states,
    expected_outputs,
    leftovers,
    preview,
    scheduler,
    watching,
    wires,
)
from ngp.runs.context import RunContext
from ngp.runs.describing import describe, emit_invocations, unchanged, wired
from ngp.runs.events import Note, Phase, UnitEntered, UnitFinished
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.joint import planning as joint
from ngp.runs.preview import CannotPreviewError
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb, fail
from ngp.runs.states import require_readable
from ngp.runs.units import Unit
from ngp.state import bucket, reading
from ngp.terraform import driver, states
from ngp.terraform.commands import PlanOptions
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Plan

# Makes something of a plan: of its result, the joint plan, and the plans of the separate units
Finish = Callable[[RunResult, joint.JointPlan, Mapping[str, Plan | None]], None]

# Terraform's messages about a count, a for_each or a provider that depends on unknown values
_UNKNOWN = re.compile(r"(?:until|after|during) apply|not (?:yet )?known")
_DATA = re.compile(r"(?:^|\.)data\.")


def _forget(unit: str, plan: Plan | None) -> None:
    """Discard a plan."""


def expect_outputs(context: RunContext) -> ExpectedOutputs:
    """Return the expected outputs at the start of a run."""

    def ask(unit: str, outputs: Sequence[str]) -> expected_outputs.Outputs:
        lacking = ", ".join(f"`{name}`" for name in outputs)
        context.emit(Note(f"planning `{unit}` too, without applying it: its state has no value for {lacking}"))
        options = PlanOptions(refresh=context.request.options.refresh)
        quiet = replace(context, emit=lambda _: None, request=replace(context.request, options=options))
        result, made = _plan_copy(quiet, unit, opened)
        if made is None and not context.stop.is_set():
            context.emit(Note(f"`{unit}` cannot be planned, so its outputs are unknown: {result.reason}"))
        return expected_outputs.of(made)

    opened = ExpectedOutputs(lambda unit: read_state(context, unit), ask)
    return opened


def plan(context: RunContext, known: ExpectedOutputs | None = None, finish: Finish | None = None) -> RunResult:
    """Plan all units of the run; failures are results, dependants of what cannot be planned are deferred.

    `known` is filled with what the units will put out. `finish` makes something of a plan before its files are deleted.
    Raises RefusedError (3) for credentials of another account,
    MissingError (69) for what has to be there before any unit.
    """
    access.require_account(context.resolved, context.access.session)
    known = known or expect_outputs(context)
    if missing_bucket(context):
        context.emit(Note("the state bucket does not exist yet, so every state counts as empty"))
    try:
        planned = joint.plan(context, known, context.tree, reads_file=finish is not None)
        alone: dict[str, Plan | None] = {}
        result = complete(context, known, planned, alone.__setitem__)
        if finish is not None:
            finish(result, planned, alone)
        return result
    finally:
        context.tree.remove()


def plan_nothing(resolved: Resolved) -> RunResult:
    """Return the result of a plan without units. Raises UsageError (64) for stale roots all the same."""
    from ngp.rendering.staleness import require_rendered

    require_rendered(resolved)
    return RunResult("", Verb.PLAN, resolved.environment.name, ())


def complete(
    context: RunContext,
    known: ExpectedOutputs,
    planned: joint.JointPlan,
    keep: Callable[[str, Plan | None], None] = _forget,
) -> RunResult:
    """Plan the units that the joint plan left out, one by one; return the results of the whole run.

    `keep` gets the plan of each, or None if it could not be planned.
    """
    start = time.monotonic()
    for name in planned.results:
        finish(context, planned.results[name])
    needs = {
        name: context.needs[name] - planned.results.keys() for name in context.needs if name not in planned.results
    }
    results = scheduler.run(
        scheduler.Schedule(needs, context.request.parallelism),
        lambda unit: finish(context, plan_unit(context, unit, known, keep)),
        lambda unit, reason: finish(context, skipped(context, unit, reason)),
        stop=context.stop,
    )
    took = max((result.duration_s for result in planned.results.values()), default=0.0)
    return collect(context, Verb.PLAN, {**planned.results, **results}, took + time.monotonic() - start)


def plan_unit(
    context: RunContext, name: str, known: ExpectedOutputs, keep: Callable[[str, Plan | None], None] = _forget
) -> UnitResult:
    """Plan one unit of the run, and add its outputs to `known`."""
    start = time.monotonic()
    if context.request.options.targets and not context.options(name).targets:
        unit = context.units[name]
        return UnitResult(
            name, unit.module, context.waves[name], Outcome.NO_CHANGES, reason="it has no -target address"
        )
    context.emit(UnitEntered(name, Phase.PREVIEW))
    result, made = _plan_copy(context, name, known)
    known.put(name, made)
    keep(name, made)
    return replace(result, duration_s=time.monotonic() - start)


def _plan_copy(context: RunContext, name: str, known: ExpectedOutputs) -> tuple[UnitResult, Plan | None]:
    """Plan a unit on a copy of its root and state with a local backend, which is then deleted."""
    unit = context.units[name]
    result = UnitResult(name, unit.module, context.waves[name], Outcome.FAILED, log=context.log_name(name))
    try:
        leftovers.require_recovered(unit.root, context.copy(unit))
        sketch = _sketch(context, unit, known)
        folder = _lay_out(context, unit, sketch.files)
        result = replace(result, unknowns=sketch.unknowns, is_preview=bool(sketch.unknowns))
        return _run_plan(context, unit, folder, result)
    except CannotPreviewError as reason:
        return replace(result, outcome=Outcome.DEFERRED, reason=str(reason)), None
    except MissingError:
        raise  # nothing has started: this ends the run, whichever unit found it
    except (NgpError, StoppedError) as error:
        return fail(result, error), None
    finally:
        context.tree.remove_root(unit.root)


def skipped(context: RunContext, unit: str, reason: str) -> UnitResult:
    """Return the result of a unit that is not started."""
    return UnitResult(unit, context.units[unit].module, context.waves[unit], Outcome.SKIPPED, reason=reason)


def finish(context: RunContext, result: UnitResult) -> UnitResult:
    """Emit the result of a unit, and return it."""
    context.emit(UnitFinished(result))
    return result


def collect(context: RunContext, verb: Verb, results: Mapping[str, UnitResult], duration_s: float) -> RunResult:
    """Return the results of a run, by wave and name."""
    ordered = sorted(results.values(), key=lambda one: (one.wave, one.unit))
    request = context.request
    return RunResult(
        context.run_id,
        verb,
        context.name,
        tuple(ordered),
        duration_s,
        context.caller.stopped_by(),
        request.units,
        request.options.words(leaving_out=tuple(f"module.{unit}" for unit in request.units)),
        context.orphans(),
        authority=request.authority,
    )


def read_state(context: RunContext, unit: str) -> states.State | None:
    """Return a unit's state, or None if it has none yet. Raises RefusedError for a state that is not the unit's."""
    state = reading.load(context.units[unit].place, context.access.session)
    if state is not None:
        duplicate_states.require(context, context.units[unit], state)
    return state


def missing_bucket(context: RunContext) -> bucket.BucketPlan | None:
    """Return the plan for the missing state bucket; None if there is one, or none is needed."""
    if context.resolved.platform.state is not StateKind.S3 or not context.units:
        return None
    place = next(iter(context.units.values())).place
    if bucket.exists(context.access.session, place):
        return None
    return bucket.plan(context.access.session, place)


def _sketch(context: RunContext, unit: Unit, known: ExpectedOutputs) -> preview.Preview:
    if not unit.wires:
        return preview.Preview(preview.local_copy(), ())
    known.learn(unit.wires)
    return preview.draft(unit.name, wired(context, unit, known))


def _lay_out(context: RunContext, unit: Unit, extra: Mapping[str, str]) -> Path:
    """Make the copy of the unit's root to plan, with its state; return its folder."""
    context.tree.remove_root(unit.root)
    context.tree.copy_modules(context.sources())
    folder = context.tree.copy_root(unit.root, {**extra, **context.guard.files}, context.terraform.binary)
    (folder / wires.FILE).unlink(missing_ok=True)
    state = reading.read(unit.place, context.access.session)
    if state is not None:
        held = states.parse(state, where=str(unit.place))
        require_readable(context, unit, held)
        duplicate_states.require(context, unit, held)
        (folder / preview.STATE).write_text(state, encoding="utf-8")
    return folder


def _run_plan(context: RunContext, unit: Unit, folder: Path, result: UnitResult) -> tuple[UnitResult, Plan | None]:
    root = driver.Root(folder, context.data(unit.name, "preview"), unit.root)
    watch = watching.UnitWatcher(context, unit)
    ready = context.terraform.init(root, watch=watch.call)
    ready.require_prerequisites()
    if not ready.is_ok:
        return watch.failed(result, ready), None
    file = folder / "plan.bin"
    options = replace(context.options(unit.name), out=file)
    variables = context.secrets(unit) | context.guard.variables
    outcome = context.terraform.plan(root, options, secrets=variables, watch=watch.call)
    if not outcome.is_ok:
        failed = watch.failed(result, outcome)
        if result.is_preview and failed.outcome is Outcome.FAILED and all(map(_is_for_want, outcome.errors)):
            return replace(failed, outcome=Outcome.DEFERRED, reason=f"cannot be previewed: {failed.reason}"), None
        return failed, None
    if not outcome.has_changes:
        same = unchanged(context, unit, _copied_state(folder))
        return replace(result, outcome=Outcome.NO_CHANGES, diagnostics=outcome.diagnostics), same
    made = context.terraform.show_plan(root, file)
    result = replace(describe(result, made), diagnostics=outcome.diagnostics)
    emit_invocations(context, result)
    acceptance.emit_warnings(context, result, made.changes)
    return result, made


def _copied_state(folder: Path) -> states.State | None:
    try:
        return states.parse((folder / preview.STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _is_for_want(error: Diagnostic) -> bool:
    """Whether a preview failed because it needs something that does not exist yet: a value or a looked-up object."""
    return bool(_UNKNOWN.search(f"{error.summary} {error.detail}") or _DATA.search(error.address))
