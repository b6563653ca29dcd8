"""Narrow a command to the units that a change in Git affects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ngp.environments.environment import Platform, StateMode
from ngp.environments.resolving import Resolved
from ngp.rendering import roots
from ngp.review import affected, baseline
from ngp.review.affected import Affected
from ngp.runs import validating
from ngp.runs.validating import RootCheck


def collect(
    platform: Platform,
    resolved: Sequence[Resolved],
    since: str,
    *,
    rendered: Mapping[Path, str] | None = None,
    whole: bool = False,
) -> Affected:
    """Return what the change since `since` affects of these environments, with `whole` also of those that are gone."""
    base = baseline.load(platform, since)
    if rendered is None:
        rendered = {path: text for each in resolved for path, text in roots.render(each).items()}
    return affected.decide(platform, resolved, rendered, base, whole=whole)


def only(found: Affected, named: Mapping[str, Collection[str]]) -> Affected:
    """Return `found` without units that are not in `named` (environment → units); all of it where `named` is empty."""
    if not named:
        return found
    units = tuple(each for each in found.units if each.unit in named.get(each.environment, ()))
    return replace(found, units=units, removed=())


def roots_of(
    resolved: Sequence[Resolved], named: Mapping[str, tuple[str, ...]], change: Affected | None
) -> list[RootCheck]:
    """Return the roots of the units that were named (none: all), and of them what the change affects."""
    if named:
        resolved = [each for each in resolved if named[each.environment.name]]
    if change is not None:
        resolved = [each for each in resolved if change.names(each.environment.name)]
    names = {each.environment.name: each for each in resolved}
    return validating.collect(
        resolved, {name: choice(each, change, named.get(name, ())) for name, each in names.items()}
    )


def choice(resolved: Resolved, found: Affected | None, named: Sequence[str]) -> tuple[str, ...]:
    """Return the units to name to a run: none, which means all, for the one root of a `single` state."""
    if found is None or resolved.environment.state is StateMode.SINGLE:
        return tuple(named)
    return found.names(resolved.environment.name)
