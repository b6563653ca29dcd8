"""Outputs of an environment, read from its states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.errors import Finding, MissingError, NgpError
from ngp.runs import duplicate_states, graph, ownership, secrets, units, wires
from ngp.runs.events import UnitSummary
from ngp.runs.results import Outcome, OutputValue, RunResult, UnitStatus, WireEdge
from ngp.runs.units import Unit
from ngp.state import reading
from ngp.terraform import states

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.resolving import Resolved

_SPLIT = "__"  # UNIT__output in the one root of `state: single`


def read_states(
    all_units: Mapping[str, Unit], session: Session, names: Iterable[str]
) -> dict[str, states.State | None]:
    """Return the state of each named unit, None if it has none yet."""
    found = {}
    for name in names:
        found[name] = state = reading.load(all_units[name].place, session)
        if state is not None:
            ownership.require_own(all_units[name], state)
    return found


def collect(
    resolved: Resolved, session: Session, chosen: tuple[str, ...] = (), *, reveal: bool = False, nulls: bool = False
) -> list[OutputValue]:
    """Return the outputs of the chosen units (none: all), by unit and name.

    `reveal` adds the secrets that manifests allow to be shown. `nulls` adds the null outputs of applied units, by their
    modules, because Terraform stores none.
    """
    units.require_known(chosen, resolved)
    all_units = units.collect(resolved)
    wanted = chosen or tuple(resolved.environment.units)
    found: list[OutputValue] = []
    for unit, outputs in _by_unit(all_units, session, wanted).items():
        values = {name: OutputValue(unit, name, one.value, one.sensitive) for name, one in outputs.items()}
        if nulls and outputs:
            declared = resolved.catalogue.modules[resolved.environment.units[unit].module].outputs.values()
            values = {one.name: OutputValue(unit, one.name, None, one.sensitive) for one in declared} | values
        found.extend(values[name] for name in sorted(values))
        if reveal:
            found.extend(_revealed(resolved, unit, outputs, session))
    return found


def absent(resolved: Resolved, values: Iterable[OutputValue], chosen: tuple[str, ...] = ()) -> dict[str, Finding]:
    """Return why each output that the chosen units (none: all) declare has no value, by ``unit.name``.

    `values` are the existing outputs.
    """
    environment = resolved.environment
    known: dict[str, set[str]] = {}
    for value in values:
        known.setdefault(value.unit, set()).add(value.name)
    return {
        f"{unit}.{name}": Finding(f"`{unit}.{name}` has no value", why="it is null")
        if unit in known
        else Finding(
            f"`{unit}.{name}` has no value yet",
            why=f"`{unit}` is not applied",
            todo=f"ngp apply {environment.name} {unit}",
        )
        for unit in chosen or tuple(environment.units)
        for name in resolved.catalogue.modules[environment.units[unit].module].outputs
        if name not in known.get(unit, ())
    }


def headlines(resolved: Resolved, session: Session, result: RunResult) -> list[OutputValue]:
    """Return the outputs that manifests name under `show`, for units that a run left applied.

    Null and sensitive outputs are left out. A secret under `reveal` appears by name only, as a masked value.
    """
    good = {unit.unit for unit in result.units if unit.outcome in (Outcome.APPLIED, Outcome.NO_CHANGES)}
    chosen = result.chosen or tuple(resolved.environment.units)
    wanted = chosen if units.SINGLE in good else [name for name in chosen if name in good]
    found: list[OutputValue] = []
    for unit, outputs in _by_unit(units.collect(resolved), session, wanted).items():
        manifest = resolved.catalogue.modules[resolved.environment.units[unit].module].manifest
        known = {name: one.value for name, one in outputs.items() if one.value is not None and not one.sensitive}
        found.extend(OutputValue(unit, name, known[name]) for name in manifest.show if name in known)
        found.extend(
            OutputValue(unit, name, None, sensitive=True) for name, arn in manifest.reveal.items() if known.get(arn)
        )
    return found


def statuses(resolved: Resolved, session: Session, chosen: tuple[str, ...] = ()) -> list[UnitStatus]:
    """Return the status of each chosen unit (none: all) from its state, in the order of waves.

    An invalid state is reported with its unit. Raises MissingError (69) if the states cannot be reached.
    """
    units.require_known(chosen, resolved)
    all_units = units.collect(resolved)
    waves = graph.numbers({name: unit.needs for name, unit in all_units.items()})
    wanted = [name for name in all_units if not chosen or name in chosen or name == units.SINGLE]
    return [
        _status(resolved, all_units[name], waves[name], session)
        for name in sorted(wanted, key=lambda one: (waves[one], one))
    ]


def wiring(resolved: Resolved, chosen: tuple[str, ...] = ()) -> tuple[list[UnitSummary], list[WireEdge]]:
    """Return the chosen units (none: all) with their waves, and their wires. Makes no call of AWS."""
    units.require_known(chosen, resolved)
    waves = graph.numbers({name: frozenset(resolved.edges[name]) for name in resolved.environment.units})
    wanted = [name for name in waves if not chosen or name in chosen]
    facts = [UnitSummary(name, resolved.environment.units[name].module, waves[name]) for name in wanted]
    wires = [
        WireEdge(name, input_name, str(binding.wire))
        for name in wanted
        for input_name, binding in sorted(resolved.bindings[name].inputs.items())
        if binding.wire is not None
    ]
    return sorted(facts, key=lambda fact: (fact.wave, fact.unit)), wires


def write_wires(resolved: Resolved, session: Session, unit: str) -> bool:
    """Write one unit's var file of upstream outputs, for plain Terraform; return whether it changed."""
    units.require_known((unit,), resolved)
    all_units = units.collect(resolved)
    if unit not in all_units:
        return False  # one root for all: its units are wired inside it
    return wires.put(all_units[unit], lambda name: read_states(all_units, session, [name])[name])


def _status(resolved: Resolved, unit: Unit, wave: int, session: Session) -> UnitStatus:
    serial, managed = -1, 0
    try:
        state = reading.load(unit.place, session)
        if state is None:
            return UnitStatus(unit.name, unit.module, wave)
        serial, managed = state.serial, sum(resource.mode == "managed" for resource in state.resources)
        ownership.require_own(unit, state)
        duplicate_states.require_single(resolved, session, unit, state)
    except MissingError:
        raise  # credentials, network, bucket: this concerns all units
    except NgpError as error:
        status = UnitStatus(unit.name, unit.module, wave, managed, serial)
        return replace(status, problem=str(error), findings=error.findings)
    return UnitStatus(unit.name, unit.module, wave, managed, serial)


def _by_unit(
    all_units: Mapping[str, Unit], session: Session, wanted: Iterable[str]
) -> dict[str, Mapping[str, states.StateOutput]]:
    if units.SINGLE not in all_units:
        read = read_states(all_units, session, wanted)
        return {name: state.outputs if state else {} for name, state in read.items()}
    state = read_states(all_units, session, [units.SINGLE])[units.SINGLE]
    outputs = state.outputs if state else {}
    return {
        unit: {
            name.removeprefix(f"{unit}{_SPLIT}"): one
            for name, one in outputs.items()
            if name.startswith(f"{unit}{_SPLIT}")
        }
        for unit in wanted
    }


def _revealed(
    resolved: Resolved, unit: str, outputs: Mapping[str, states.StateOutput], session: Session
) -> list[OutputValue]:
    """Return the secrets that the module's manifest names, read from Secrets Manager by an output's ARN."""
    module = resolved.catalogue.modules[resolved.environment.units[unit].module]
    arns = {name: outputs.get(output) for name, output in module.manifest.reveal.items()}
    return [
        OutputValue(unit, name, secrets.read(str(arn.value), session), sensitive=True)
        for name, arn in sorted(arns.items())
        if arn is not None and arn.value
    ]
