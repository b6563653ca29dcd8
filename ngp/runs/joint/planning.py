"""The joint plan: one Terraform plan for the units of a run.

A process for each unit would start, initialise and `show` again and again, and would need placeholders for unknown
values of its upstreams. In one root, unknown values flow between units directly. The saved plan is what is reviewed and
applied; for people it is divided by unit. Units that cannot be joined are left out with their dependants and the
reason, and the rest is planned without them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ngp.errors import NgpError, StoppedError
from ngp.runs import acceptance, copies, describing, expected_outputs, preview, watching
from ngp.runs.context import RunContext
from ngp.runs.events import Note, Phase, UnitDiagnosed, UnitEntered
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.joint import choosing, composition, diagnostics, lifecycles, states
from ngp.runs.joint.composition import NAME, ApartError, Joint
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.runs.states import require_readable
from ngp.terraform import driver
from ngp.terraform import states as values
from ngp.terraform.events import Diagnostic, Event
from ngp.terraform.plans import Action, Plan
from ngp.terraform.results import Result

_AT_ONCE = 10  # Terraform's default number of concurrent calls per process; the total equals that of separate units
_CYCLE = "Cycle: "


@dataclass(frozen=True)
class JointPlan:
    """The result of a joint plan.

    `results` are those of the joined units. `apart` are the units that are planned separately, with the reasons.
    `joint` is None if no unit was joined; `parts` are the plans of its units, as their own roots would have them.
    """

    results: Mapping[str, UnitResult]
    apart: Mapping[str, str]
    joint: Joint | None = None
    parts: Mapping[str, Plan] = field(default_factory=dict)


def plan(
    context: RunContext,
    known: ExpectedOutputs,
    tree: copies.ShadowTree,
    *,
    apart: Mapping[str, str] | None = None,
    kind: str = "preview",
    reads_file: bool = False,
) -> JointPlan:
    """Plan the units of the run together, in `tree`; what they will put out goes to `known`.

    With `reads_file` the parts come from the plan file even if nothing changes: an apply of a bundle compares them.
    `apart` are the units to plan separately from the start (from `choosing.apart`). A unit that turns out to need that
    is left out with its dependants, and the rest is planned again; the reasons are emitted.
    Raises MissingError for what has to be there before any unit.
    """
    reasons = dict(choosing.apart(context) if apart is None else apart)
    reported: dict[str, str] = {}
    while True:
        joined = [name for name in context.needs if name not in reasons]
        choosing.emit_reasons(context, reasons, reported)
        if not joined or context.stop.is_set():
            return JointPlan({}, reasons)
        start = time.monotonic()
        try:
            composed = composition.compose(context, joined, known, tree, kind)
            planned = _plan(context, composed, known, reads_file=reads_file)
        except ApartError as error:
            reasons = choosing.with_dependants({**error.reasons, **reasons}, context.needs)
            continue
        except StoppedError:
            return JointPlan({}, dict.fromkeys(context.needs, "the run was interrupted"))
        took = time.monotonic() - start
        results = {name: replace(result, duration_s=took) for name, result in planned.results.items()}
        return replace(planned, results=results, apart=reasons)


def _plan(context: RunContext, joint: Joint, known: ExpectedOutputs, *, reads_file: bool) -> JointPlan:
    notes = _require_readable(context, joint)
    for name in joint.units:
        context.emit(UnitEntered(name, Phase.PREVIEW))
    watch = PlanWatcher(context, joint)
    outcome = _run(context, joint, watch)
    if outcome.stopped:
        blank = _blank(context, joint)
        return JointPlan({name: watch.stopped(result) for name, result in blank.items()}, {}, joint)
    if not outcome.is_ok:
        if joint.partition.is_whole:  # it would also fail separately
            return JointPlan(_failed(context, joint, watch, outcome), {}, joint)
        raise ApartError(_closing_a_cycle(joint, outcome) or diagnostics.failures(outcome, joint))
    found = parts(context, joint, has_changes=outcome.has_changes or reads_file)
    _require_joinable(joint, found)
    for note in notes:
        context.emit(note)
    return JointPlan(results(context, joint, found, outcome.diagnostics, known), {}, joint, found)


def _require_readable(context: RunContext, joint: Joint) -> list[Note]:
    """Return notes about states. Raises ApartError for those that the binary cannot read."""
    notes: list[Note] = []
    quiet = replace(context, emit=lambda event: notes.append(event) if isinstance(event, Note) else None)
    foreign = {}
    for name, stored in joint.stored.items():
        if name in joint.documents:
            unit = joint.units[name]
            try:
                require_readable(quiet, unit, values.parse(stored.text, where=str(unit.place)))
            except NgpError as error:
                foreign[name] = error.findings[0].what
    if foreign:
        raise ApartError(foreign)
    return notes


def _run(context: RunContext, joint: Joint, watch: PlanWatcher) -> Result:
    ready = context.terraform.init(joint.root, watch=watch.call)
    ready.require_prerequisites()
    if not ready.is_ok:
        return ready
    fetched = (joint.root.data / "modules").rglob("*/")
    if any(map(choosing.names_its_folder, fetched)):
        raise ApartError(dict.fromkeys(joint.units, "a fetched module names the folder that Terraform is started in"))
    options = context.request.options
    options = replace(options, out=joint.plan, parallelism=options.parallelism or at_once(context, joint))
    return context.terraform.plan(joint.root, options, secrets=secrets(context, joint), watch=watch.call)


def at_once(context: RunContext, joint: Joint) -> int:
    """Return how many concurrent calls the one process may make: as many as separate processes would make together."""
    return _AT_ONCE * min(context.request.parallelism, len(joint.units))


def secrets(context: RunContext, joint: Joint) -> dict[str, str]:
    """Return the values of all units' secret references by root variable, for Terraform's environment only.

    They include the plan's guard, without which only this run can apply it.
    """
    return dict(context.guard.variables) | {
        joint.partition.variable(name, variable): value
        for name, unit in joint.units.items()
        for variable, value in context.secrets(unit).items()
    }


def parts(context: RunContext, joint: Joint, *, has_changes: bool) -> dict[str, Plan]:
    """Return the plan of each unit, as its own root would have it."""
    if not has_changes:
        return {
            name: describing.unchanged(
                context, unit, values.parse(joint.stored[name].text) if name in joint.documents else None
            )
            for name, unit in joint.units.items()
        }
    whole = context.terraform.show_plan(joint.root, joint.plan)
    found = {one.address for one in whole.changes} | {one.address for one in whole.invocations}
    strangers = sorted(address for address in found if not joint.partition.owner(address))
    if strangers:
        raise ApartError(dict.fromkeys(joint.units, f"{strangers[0]} is outside of all units"))
    return {name: joint.partition.plan(whole, name) for name in joint.units}


def _require_joinable(joint: Joint, parts: Mapping[str, Plan]) -> None:
    """Raise ApartError for users of sensitive outputs, and for units that change how an upstream is replaced."""
    offered = {name: expected_outputs.of(part) for name, part in parts.items()}
    reasons = {
        name: f"{wire.origin} is sensitive"
        for name, unit in joint.units.items()
        for wire in unit.wires
        if wire.origin.unit in offered
        and offered[wire.origin.unit].get(wire.origin.output, expected_outputs.UNKNOWN).sensitive
    }
    for name, part in parts.items():
        reversed_ = _created_first_for_others(joint, name, part)
        if reversed_:
            why = f"its create_before_destroy would change how {reversed_} is replaced"
            reasons |= {one: why for one in _consumers_that_create_first(joint, name)}
    if reasons:
        raise ApartError(reasons)


def _created_first_for_others(joint: Joint, name: str, part: Plan) -> str:
    """Return the first resource that is created before it is destroyed only because of another unit, or ""."""
    replaced = [one for one in part.changes if one.action is Action.REPLACE and one.actions == ("create", "delete")]
    if not replaced or joint.partition.is_whole:
        return ""
    own = lifecycles.spread(joint.documents[name].get("resources") or (), declared(joint, name))
    return next((one.address for one in replaced if states.without_keys(one.address) not in own), "")


def _closing_a_cycle(joint: Joint, outcome: Result) -> dict[str, str]:
    """Return the units whose create_before_destroy closes a cycle through the joined state, so that Terraform finds no
    order; none if the plan failed for another reason."""
    cycles = (one.summary for one in outcome.errors if one.summary.startswith(_CYCLE))
    names = {joint.partition.owner(address) for text in cycles for address in text.removeprefix(_CYCLE).split(", ")}
    return {
        name: "its create_before_destroy would change how what it needs is replaced"
        for name in names & joint.units.keys()
        if joint.units[name].needs & joint.units.keys() and declared(joint, name)
    }


def _consumers_that_create_first(joint: Joint, upstream: str) -> list[str]:
    needs = {name: unit.needs & joint.units.keys() for name, unit in joint.units.items()}
    return [
        name for name in choosing.with_dependants({upstream: ""}, needs) if name != upstream and declared(joint, name)
    ]


def declared(joint: Joint, name: str) -> frozenset[str]:
    """Return the resources of a unit that its own configuration creates before it destroys."""
    fetched = lifecycles.fetched(joint.root.path, joint.root.data)
    return lifecycles.declared(name, joint.tree.path(joint.source(name)), fetched)


def results(
    context: RunContext,
    joint: Joint,
    planned: Mapping[str, Plan],
    reported: Sequence[Diagnostic],
    known: ExpectedOutputs,
) -> dict[str, UnitResult]:
    """Return the result of each unit from its part of the plan and the diagnostics; add its outputs to `known`."""
    for name, part in planned.items():
        known.put(name, part)
    own, rest = diagnostics.by_unit(reported, joint, context)
    for one in rest:
        context.emit(Note(f"Terraform: {one.summary}"))
    found = {}
    for name, blank in _blank(context, joint).items():
        unknowns = preview.unknowns(describing.wired(context, joint.units[name], known))
        result = replace(blank, unknowns=unknowns, diagnostics=tuple(own[name]))
        found[name] = describing.describe(result, planned[name])
        describing.emit_invocations(context, found[name])
        acceptance.emit_warnings(context, found[name], planned[name].changes)
        for diagnostic in result.diagnostics:
            context.emit(UnitDiagnosed(name, diagnostic))
    return found


def _failed(context: RunContext, joint: Joint, watch: PlanWatcher, outcome: Result) -> dict[str, UnitResult]:
    """Return the results of a plan that failed for all units."""
    reported = [diagnostics.located(one, joint, context.resolved) for one in outcome.diagnostics]
    results = _blank(context, joint)
    for name, diagnostic in ((name, one) for name in results for one in reported):
        context.emit(UnitDiagnosed(name, diagnostic))
    return {
        name: watch.failed(result, replace(outcome, diagnostics=tuple(reported))) for name, result in results.items()
    }


def _blank(context: RunContext, joint: Joint) -> dict[str, UnitResult]:
    log = context.log_name(NAME)
    return {
        name: UnitResult(name, unit.module, context.waves[name], Outcome.FAILED, log=log)
        for name, unit in joint.units.items()
    }


class PlanWatcher:
    """Follows a joint plan: assigns its events to units.

    Diagnostics wait until the end, when their units are known.
    """

    def __init__(self, context: RunContext, joint: Joint) -> None:
        self._units = {name: watching.UnitWatcher(context, unit) for name, unit in joint.units.items()}
        self._partition = joint.partition
        self.call = driver.Watch(on_event=self._on_event, log=context.log(NAME))

    def stopped(self, result: UnitResult) -> UnitResult:
        """Return the result of a unit whose plan was interrupted."""
        return self.failed(result, Result(1, stopped=True))

    def failed(self, result: UnitResult, outcome: Result) -> UnitResult:
        """Return the result of a unit whose plan failed."""
        return replace(self._units[result.unit].failed(result, outcome), log=result.log)

    def _on_event(self, event: Event) -> None:
        owner = self._partition.owner(getattr(event, "address", ""))
        follow = self._units[owner].call.on_event if owner in self._units else None
        if follow and not isinstance(event, Diagnostic):
            follow(event)
