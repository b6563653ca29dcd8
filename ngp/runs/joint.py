"""Plans the units of a run in one Terraform process, so that what is not known yet flows between them by itself.

A process for each unit costs its start, its init and its `show` over and over, and each needs stand-ins for what its
upstreams do not know yet. So the units are composed into one root, as `state: single` renders it, above all their
states taken together; the plan is taken apart by unit again. It is a preview as any other: on copies, with a local
backend, deleted in the same step. Where it does not go well each unit is planned by itself, and says what it has to.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ngp import files
from ngp.environments.environment import OutputRef
from ngp.errors import NgpError, StoppedError
from ngp.rendering import exact, roots
from ngp.runs import copies, describing, joinable, leftovers, offers, ownership, preview, watching
from ngp.runs.context import RunContext
from ngp.runs.events import Phase, RunEvent, UnitDiagnosed, UnitEntered
from ngp.runs.offers import Offers
from ngp.runs.results import Outcome, UnitResult
from ngp.runs.states import require_readable
from ngp.runs.units import Unit
from ngp.state import reading
from ngp.terraform import documents, driver, states, versions
from ngp.terraform.events import Diagnostic, Event
from ngp.terraform.plans import Plan
from ngp.terraform.results import Result

_OF = "__"  # between a unit's name and that of its output, as `state: single` renders it
_FAILED = "failed"
_NAME = "_all"  # in the place of a unit's name, of which it can be none
_READERS = 8
_AT_ONCE = 10  # calls of a Terraform process, by its own default: as many in all as units one by one would make
_OWNER = re.compile(r"module\.([^.\[]+)[.\[]")


class _ApartError(Exception):
    """The units have to be planned by themselves."""


@dataclass(frozen=True)
class _Joint:
    """The units that are planned together, their states as texts and as values, and where all of it is done."""

    units: Mapping[str, Unit]
    texts: Mapping[str, str]
    states: Mapping[str, states.State]
    root: driver.Root
    tree: copies.Tree
    notes: Sequence[RunEvent]  # to be told where the plan stands


def plan(context: RunContext, known: Offers) -> dict[str, UnitResult] | None:
    """Plan all units of the run together; what they will put out goes to `known`.

    None where each has to be planned by itself: what `joinable` says, or an error, which only its own plan can tell
    to the end.
    """
    units = {name: context.units[name] for name in context.needs}
    if context.stop.is_set() or not joinable.can_be_joined(context, units):
        return None
    start = time.monotonic()
    place = context.resolved.environment.path / "units" / _NAME
    try:
        results = _plan(context, units, place, known)
    except (_ApartError, NgpError, StoppedError):
        return None
    finally:
        context.tree.remove_root(place)
    took = time.monotonic() - start
    return {name: replace(result, duration_s=took) for name, result in results.items()}


def _plan(context: RunContext, units: Mapping[str, Unit], place: Path, known: Offers) -> dict[str, UnitResult]:
    joint = _collect(context, units, place)
    digest = _lay_out(context, joint, place)
    if digest == _failed(joint):
        raise _ApartError  # it would fail again
    for name in units:
        context.tell(UnitEntered(name, Phase.PREVIEW))
    watch = _Watch(context, joint)
    file = joint.root.path / "plan.bin"
    outcome = _run(context, joint, file, watch)
    if outcome.stopped:
        return {name: watch.stopped(result) for name, result in _blank(context, units).items()}
    if not outcome.is_ok:
        files.write(joint.root.data / _FAILED, digest)
        raise _ApartError
    said = dict(_by_unit(outcome.diagnostics, joint))
    parts = _parts(context, joint, file, has_changes=outcome.has_changes)
    offered = {name: offers.of(part) for name, part in parts.items()}
    if any(offered[one.unit].get(one.output, offers.UNKNOWN).sensitive for one in _origins(joint)):
        raise _ApartError  # it is refused, and its own plan says so
    for note in joint.notes:
        context.tell(note)
    return _results(context, joint, parts, said, known)


def _collect(context: RunContext, units: Mapping[str, Unit], place: Path) -> _Joint:
    for unit in units.values():
        leftovers.require_recovered(unit.root, context.copy(unit))
    with ThreadPoolExecutor(min(_READERS, len(units)), thread_name_prefix="state") as pool:
        read = pool.map(lambda unit: reading.read(unit.place, context.access.session), units.values())
        texts = {name: text for name, text in zip(units, read, strict=True) if text is not None}
    found = {name: states.parse(text) for name, text in texts.items()}
    notes: list[RunEvent] = []
    for name, state in found.items():
        require_readable(replace(context, tell=notes.append), units[name], state)
        ownership.require_own(units[name], state)
    root = driver.Root(context.tree.path(place), context.data(_NAME, "preview"))
    return _Joint(units, texts, found, root, context.tree, notes)


def _lay_out(context: RunContext, joint: _Joint, place: Path) -> str:
    """Make the root; return a digest of all that its plan stands on, but the world."""
    texts = dict(roots.together(context.resolved, joint.units, _NAME))
    if not joinable.means_the_same(context, joint.units.values(), texts):
        raise _ApartError
    texts |= preview.local_copy()
    context.tree.remove_root(place)
    context.tree.lay_modules(context.sources())
    folder = context.tree.make_root(place, {**texts, **context.guard.files}, context.terraform.binary)
    state = _join(joint.texts) if joint.texts else ""
    if state:
        (folder / preview.STATE).write_text(state, encoding="utf-8")
    return hashlib.sha256(json.dumps([sorted(texts.items()), state]).encode()).hexdigest()


def _failed(joint: _Joint) -> str:
    """The digest of what could not be planned together the last time; "" for none."""
    try:
        return (joint.root.data / _FAILED).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _run(context: RunContext, joint: _Joint, file: Path, watch: _Watch) -> Result:
    ready = context.terraform.init(joint.root, watch=watch.call)
    if not ready.is_ok:
        return ready
    if any(map(joinable.names_its_folder, (joint.root.data / "modules").rglob("*/"))):
        raise _ApartError  # a module that init has fetched
    secrets = {
        f"{name}__{variable}": value
        for name, unit in joint.units.items()
        for variable, value in context.secrets(unit).items()
    }
    at_once = _AT_ONCE * min(context.request.parallelism, len(joint.units))
    options = replace(context.request.options, out=file, parallelism=context.request.options.parallelism or at_once)
    return context.terraform.plan(joint.root, options, secrets=secrets | context.guard.variables, watch=watch.call)


def _join(texts: Mapping[str, str]) -> str:
    """One state of those of several units.

    Raises _ApartError for what is no whole state, and for a resource outside of its unit's module.
    """
    try:
        found = {name: documents.parse(text) for name, text in texts.items()}
        newest = max((str(one["terraform_version"]) for one in found.values()), key=versions.parse)
    except (ValueError, KeyError) as error:
        raise _ApartError from error
    for name, document in found.items():
        for resource in document.get("resources") or ():
            module = str(resource.get("module", ""))
            if module != f"module.{name}" and not module.startswith((f"module.{name}.", f"module.{name}[")):
                raise _ApartError
    return exact.dump(
        {
            "version": 4,
            "terraform_version": newest,
            "serial": 1,
            "lineage": _NAME,
            "outputs": {
                f"{name}{_OF}{output}": value
                for name, document in found.items()
                for output, value in (document.get("outputs") or {}).items()
            },
            "resources": [one for document in found.values() for one in document.get("resources") or ()],
            "check_results": None,
        }
    )


def _parts(context: RunContext, joint: _Joint, file: Path, *, has_changes: bool) -> dict[str, Plan]:
    """The plan of each unit, as its own root would have it."""
    if not has_changes:
        return {name: describing.unchanged(context, unit, joint.states.get(name)) for name, unit in joint.units.items()}
    whole = context.terraform.show_plan(joint.root, file)
    changes = {name: [one for one in whole.changes if _owner(one.address) == name] for name in joint.units}
    if sum(map(len, changes.values())) != len(whole.changes):
        raise _ApartError  # something stands outside of all units
    return {
        name: replace(
            whole,
            changes=tuple(changes[name]),
            outputs={
                output: replace(one, name=output)
                for unit, _, output, one in ((*key.partition(_OF), one) for key, one in whole.outputs.items())
                if unit == name  # no name of a unit has an underscore
            },
            drift=tuple(one for one in whole.drift if _owner(one.address) == name),
        )
        for name in joint.units
    }


def _results(
    context: RunContext,
    joint: _Joint,
    parts: Mapping[str, Plan],
    said: Mapping[str, tuple[Diagnostic, ...]],
    known: Offers,
) -> dict[str, UnitResult]:
    for name, part in parts.items():
        known.put(name, part)
    results = {}
    for name, blank in _blank(context, joint.units).items():
        unknowns = preview.unknowns(describing.wired(context, joint.units[name], known))
        result = replace(blank, unknowns=unknowns, is_preview=bool(unknowns), diagnostics=said.get(name, ()))
        results[name] = describing.describe(result, parts[name])
        for diagnostic in result.diagnostics:
            context.tell(UnitDiagnosed(name, diagnostic))
    return results


def _blank(context: RunContext, units: Mapping[str, Unit]) -> dict[str, UnitResult]:
    log = context.log_name(_NAME)
    return {
        name: UnitResult(name, unit.module, context.waves[name], Outcome.FAILED, log=log)
        for name, unit in units.items()
    }


class _Watch:
    """Follows the one call: its events become those of the units that they are about.

    Diagnostics wait for the end: where it is not well, each unit tells its own.
    """

    def __init__(self, context: RunContext, joint: _Joint) -> None:
        self._units = {name: watching.Watch(context, unit) for name, unit in joint.units.items()}
        self.call = driver.Watch(on_event=self._on_event, log=context.log(_NAME))

    def stopped(self, result: UnitResult) -> UnitResult:
        return replace(self._units[result.unit].failed(result, Result(1, stopped=True)), log=result.log)

    def _on_event(self, event: Event) -> None:
        owner = _owner(getattr(event, "address", ""))
        follow = self._units[owner].call.on_event if owner in self._units else None
        if follow and not isinstance(event, Diagnostic):
            follow(event)


def _by_unit(said: Iterable[Diagnostic], joint: _Joint) -> Iterator[tuple[str, tuple[Diagnostic, ...]]]:
    """What was said of each unit. Raises _ApartError for what may be of none, or of several."""
    owners = [(one, _about(one, joint)) for one in said]
    if not all(len(units) == 1 for _, units in owners):
        raise _ApartError
    for name in joint.units:
        yield name, tuple(one for one, units in owners if name in units)


def _about(said: Diagnostic, joint: _Joint) -> set[str]:
    owner = _owner(said.address)
    if owner in joint.units:
        return {owner}
    folder = (joint.root.path / said.place).resolve().parent
    return {
        name
        for name, unit in joint.units.items()
        if any(folder.is_relative_to(joint.tree.path(source).resolve()) for source in unit.sources.values())
    }


def _origins(joint: _Joint) -> Iterator[OutputRef]:
    return (wire.origin for unit in joint.units.values() for wire in unit.wires)


def _owner(address: str) -> str:
    """The unit that a resource's address is of; "" for none."""
    found = _OWNER.match(address)
    return found[1] if found else ""
