"""Resolves an environment: everything that can be known before Terraform starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ngp.catalogue import loading
from ngp.catalogue.module import Catalogue
from ngp.environments import binding, checks, choosing, documents, revisions, tfvars, validations, wiring
from ngp.environments.binding import UnitBindings
from ngp.environments.environment import Environment, Platform
from ngp.environments.values import Values
from ngp.errors import Finding, UsageError, require


@dataclass(frozen=True)
class Resolved:
    """A resolved environment. `edges` has for each unit the units that feed it. `catalogue.path` is modules/, or the
    folder with a commit's modules for a pinned catalogue (`catalogue: REF`)."""

    platform: Platform
    environment: Environment
    catalogue: Catalogue
    values: Values
    bindings: Mapping[str, UnitBindings]
    edges: Mapping[str, tuple[str, ...]]


def resolve(platform: Platform, name: str) -> Resolved:
    """Load, bind and check an environment. Raises one UsageError with every finding."""
    return _resolve(platform, name, lambda path: loading.load(path, platform.cache))


def resolve_each(platform: Platform, names: Iterable[str]) -> list[Resolved]:
    """Resolve environments. Raises one UsageError with the findings of all of them, each once."""
    resolved, wrong = collect(platform, names)
    require(dict.fromkeys(wrong))
    return resolved


def collect(platform: Platform, names: Iterable[str]) -> tuple[list[Resolved], list[Finding]]:
    """Return the environments that can be resolved, and the errors of the others; each catalogue is read once."""
    load = cache(lambda path: loading.load(path, platform.cache))
    resolved, wrong = [], list[Finding]()
    for name in names:
        try:
            resolved.append(_resolve(platform, name, load))
        except UsageError as error:
            wrong.extend(error.findings)
    return resolved, wrong


def assemble(platform: Platform, environment: Environment, catalogue: Catalogue, values: Values) -> Resolved:
    """Bind and check loaded files. Raises one UsageError with every finding."""
    bound = binding.bind(environment, binding.facts(platform.name, environment), catalogue, values)
    wires = wiring.check(environment, catalogue)
    edges = {
        unit: tuple(feeder for feeder in feeders if feeder in environment.units and feeder != unit)
        for unit, feeders in bound.edges().items()
    }
    units = {choice.name: choice.module for choice in environment.units.values()}
    require(
        [
            *bound.findings,
            *tfvars.check(values, environment.units),
            *wires,
            *wiring.check_cycles(environment, edges),
            *choosing.conflicts(units, catalogue, environment.where("units")),
            *checks.check(platform, environment, values),
            *validations.check(environment, catalogue, values, bound.units, platform.cache),
        ]
    )
    return Resolved(platform, environment, catalogue, values, bound.units, edges)


def _resolve(platform: Platform, name: str, load: Callable[[Path], Catalogue]) -> Resolved:
    findings: list[Finding] = []
    environment = documents.load(platform, name)
    path = environment.path / tfvars.FILE
    try:
        values = tfvars.load(path, platform.cache)
    except UsageError as error:
        findings.extend(error.findings)
        values = Values(path)
    catalogue = load(revisions.catalogue_path(platform, environment))
    if findings:  # without values, every input would seem unbound
        raise UsageError([*findings, *checks.check(platform, environment, values)])
    return assemble(platform, environment, catalogue, values)
