"""Plans every unit of a run in one go: real where all inputs are known, a preview where some are not."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ngp.errors import LockHeldError, NgpError
from ngp.files import private_folder
from ngp.runs import preview, scheduler, watching
from ngp.runs.context import RunContext
from ngp.runs.events import Phase, UnitEntered, UnitFinished
from ngp.runs.preview import CannotPreviewError, Offer, WiredInput
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb, count
from ngp.runs.units import Unit, Wire
from ngp.state import reading
from ngp.terraform import driver, states
from ngp.terraform.plans import Action, Plan

_IDLE = frozenset({Action.NO_OP, Action.READ})


class Offers:
    """What each planned unit's outputs will be, for the units that take them; filled while a run plans."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._planned: dict[str, Mapping[str, Offer] | None] = {}
        self._lock = threading.Lock()

    def put(self, unit: str, plan: Plan | None) -> None:
        """Take over a unit's planned outputs; None for a unit that could not be planned."""
        offered = None if plan is None else {name: Offer.of(change) for name, change in plan.outputs.items()}
        with self._lock:
            self._planned[unit] = offered

    def get(self, wire: Wire) -> Offer:
        """The offer at the other end of a wire: of the upstream's plan, else of its state, else unknown."""
        unit = wire.origin.unit
        with self._lock:
            if unit not in self._planned:
                self._planned[unit] = self._from_state(unit)
            offered = self._planned[unit]
        # Terraform leaves an output that is null out of plan and state
        return Offer() if offered is None else offered.get(wire.origin.output, Offer(None, unknown=False))

    def _from_state(self, unit: str) -> Mapping[str, Offer] | None:
        state = read_state(self._context, unit)
        return None if state is None else {name: Offer(one.value, unknown=False) for name, one in state.outputs.items()}


def plan(context: RunContext) -> RunResult:
    """Plan all units of the run; failures are results, dependants of what cannot be planned are deferred.

    Raises MissingError (69), before any unit starts, where the states cannot be reached.
    """
    require_states(context)
    start = time.monotonic()
    offers = Offers(context)
    results = scheduler.run(
        scheduler.Plan(context.needs, context.request.parallelism),
        lambda unit: _finish(context, plan_unit(context, unit, offers)),
        lambda unit, reason: _finish(context, skipped(context, unit, reason)),
        stop=context.stop,
    )
    return collect(context, Verb.PLAN, results, time.monotonic() - start)


def require_states(context: RunContext) -> None:
    """Look at one state: credentials, network and bucket are the same for all, and are told once, not by each unit."""
    for unit in list(context.needs)[:1]:
        reading.read(context.units[unit].place, context.access.session)


def plan_unit(context: RunContext, name: str, offers: Offers) -> UnitResult:
    """Plan one unit on a copy of its root and state, with a local backend; nothing of it is left behind."""
    start = time.monotonic()
    unit = context.units[name]
    context.tell(UnitEntered(name, Phase.PREVIEW))
    folder = context.resolved.platform.workspace / "previews" / context.name / name
    result = UnitResult(name, unit.module, context.waves[name], Outcome.FAILED, log=_log_name(context, name))
    made: Plan | None = None
    try:
        sketch = _sketch(context, unit, folder, offers)
        _lay_out(context, unit, folder, sketch.files)
        result = replace(result, unknowns=sketch.unknowns, is_preview=bool(sketch.unknowns))
        result, made = _run_plan(context, unit, folder, result)
    except CannotPreviewError as reason:
        result = replace(result, outcome=Outcome.DEFERRED, reason=str(reason))
    except NgpError as error:
        result = replace(result, outcome=outcome_of(error), reason=str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    offers.put(name, made)
    return replace(result, duration_s=time.monotonic() - start)


def describe(result: UnitResult, plan: Plan) -> UnitResult:
    """Put what a plan is to do into a unit's result."""
    changes = tuple(change for change in plan.changes if _counts(change.address) and change.action not in _IDLE)
    own = replace(plan, changes=tuple(change for change in plan.changes if _counts(change.address)))
    outputs = {name: change for name, change in plan.outputs.items() if change.action is not Action.NO_OP}
    quiet = not changes and not outputs
    return replace(
        result,
        outcome=Outcome.NO_CHANGES if quiet else Outcome.PLANNED,
        counts=count(own),
        changes=tuple(change for change in changes if change.mode == "managed"),
        outputs=outputs,
    )


def skipped(context: RunContext, unit: str, reason: str) -> UnitResult:
    """The result of a unit that is not started."""
    return UnitResult(unit, context.units[unit].module, context.waves[unit], Outcome.SKIPPED, reason=reason)


def collect(context: RunContext, verb: Verb, results: Mapping[str, UnitResult], duration_s: float) -> RunResult:
    """The results of a run, by wave and name."""
    ordered = sorted(results.values(), key=lambda one: (one.wave, one.unit))
    return RunResult(context.run_id, verb, context.name, tuple(ordered), duration_s, context.caller.stopped_by())


def read_state(context: RunContext, unit: str) -> states.State | None:
    """A unit's state, or None where it has none yet."""
    text = reading.read(context.units[unit].place, context.access.session)
    return None if text is None else states.parse(text)


def outcome_of(error: NgpError) -> Outcome:
    """What an error in the middle of a unit's work makes of the unit."""
    return Outcome.LOCKED if isinstance(error, LockHeldError) else Outcome.FAILED


def _finish(context: RunContext, result: UnitResult) -> UnitResult:
    context.tell(UnitFinished(result))
    return result


def _sketch(context: RunContext, unit: Unit, folder: Path, offers: Offers) -> preview.Preview:
    sources = {name: os.path.relpath(path, folder) for name, path in unit.sources.items()}
    if len(sources) > 1 or not unit.wires:
        return preview.Preview(preview.local_copy(sources), ())
    wired = tuple(
        WiredInput(wire.name, wire.type, str(wire.origin), context.waves[wire.origin.unit], offers.get(wire))
        for wire in unit.wires
    )
    return preview.draft(unit.name, sources[unit.name], wired)


def _lay_out(context: RunContext, unit: Unit, folder: Path, extra: Mapping[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)
    for path in unit.root.iterdir():
        if path.is_file() and path.name != "wired.auto.tfvars.json" and ".tfstate" not in path.name:
            shutil.copyfile(path, folder / path.name)
    for name, text in extra.items():
        (folder / name).write_text(text, encoding="utf-8")
    state = reading.read(unit.place, context.access.session)
    if state is not None:
        (folder / "terraform.tfstate").write_text(state, encoding="utf-8")


def _run_plan(context: RunContext, unit: Unit, folder: Path, result: UnitResult) -> tuple[UnitResult, Plan | None]:
    root = driver.Root(folder, context.data(unit.name, "preview"))
    watch = watching.Watch(context, unit)
    ready = context.terraform.init(root, watch=watch.call)
    if not ready.is_ok:
        return watch.failed(result, ready), None
    file = folder / "plan.bin"
    options = replace(context.request.options, out=file)
    outcome = context.terraform.plan(root, options, secrets=context.secrets(unit), watch=watch.call)
    if not outcome.is_ok:
        failed = watch.failed(result, outcome)
        if result.is_preview and failed.outcome is Outcome.FAILED:
            return replace(failed, outcome=Outcome.DEFERRED, reason=f"cannot be previewed: {failed.reason}"), None
        return failed, None
    made = context.terraform.show_plan(root, file)
    return replace(describe(result, made), diagnostics=outcome.diagnostics), made


def _counts(address: str) -> bool:
    return not preview.is_placeholder(address)


def _log_name(context: RunContext, unit: str) -> str:
    return str(context.log(unit).relative_to(context.resolved.platform.path))
