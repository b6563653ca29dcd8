"""Which units a change affects, and why: decided from values, nothing is read but the modules that modules call."""

from __future__ import annotations

import os.path
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath

from ngp.catalogue.loading import MANIFEST
from ngp.environments.environment import StateMode
from ngp.environments.resolving import Resolved
from ngp.rendering.roots import FILES, LOCK, VALUES
from ngp.rendering.staleness import WIRED
from ngp.review import origins
from ngp.review.baseline import Baseline
from ngp.runs import graph
from ngp.terraform import fingerprints

Rendered = Mapping[Path, str]  # path relative to the platform → text

# What of a module Terraform does not read; module.yaml is seen in the root that it shapes
_BESIDE = frozenset({"tests", "docs"})
_ABOUT = (".md", ".dummy", ".tftest.hcl")
_SHOWN = 3  # paths that a reason names in words


class Cause(Enum):
    NEW = "new"
    REMOVED = "removed"
    MODULE = "module"
    ROOT = "root"
    LOCK = "lock"
    ORIGIN = "origin"
    UPSTREAM = "upstream"


@dataclass(frozen=True)
class Reason:
    """`text` says it in words; `paths` are the files that it is about, relative to the platform, sorted."""

    cause: Cause
    text: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class AffectedUnit:
    """A unit and all reasons. `module` is "" for a removed one: its environment does not name it any more."""

    environment: str
    unit: str
    module: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Affected:
    """What a change since `commit` affects, by environment; `name` says how the commit was found."""

    commit: str
    name: str
    units: tuple[AffectedUnit, ...]
    removed: tuple[AffectedUnit, ...] = ()

    def names(self, environment: str) -> tuple[str, ...]:
        """The affected units of one environment."""
        return tuple(each.unit for each in self.units if each.environment == environment)

    def covers(self, path: Path) -> bool:
        """Whether the rendered file at `path` belongs to an affected or removed unit, or to the whole platform.

        The one root of a `single` state and the copies of a pinned catalogue belong to all units of their environment.
        """
        if path.parts[0] != "environments":
            return True
        _, environment, kind, *rest = path.parts
        return (environment, rest[0]) in self._places if kind == "units" else environment in self._environments

    @cached_property
    def _places(self) -> frozenset[tuple[str, str]]:
        return frozenset((each.environment, each.unit) for each in (*self.units, *self.removed))

    @cached_property
    def _environments(self) -> frozenset[str]:
        return frozenset(environment for environment, _ in self._places)


def decide(resolved: Sequence[Resolved], rendered: Rendered, baseline: Baseline, *, whole: bool = False) -> Affected:
    """Hold environments, as they render now, against the commit of `baseline`.

    Affected is a unit that is new, whose module (or one that it calls), root or lock file differs, whose inputs come
    from elsewhere, and whoever takes an output of an affected one. Removed are those that had a root in the commit and
    have none now, with `whole` also those of environments that are gone. Linear in units, wires and files.
    """
    differing = _Paths.of(_differing(rendered, baseline))
    touched = _Paths.of(baseline.changed)
    units = [unit for each in resolved for unit in _Environment(each, baseline, touched, differing).affected()]
    names = None if whole else {each.environment.name for each in resolved}
    now = {path.parent.as_posix() for path in rendered if path.name == VALUES}
    removed = [_removed(root, baseline) for root in _roots(baseline) if root not in now]
    gone = tuple(each for each in removed if names is None or each.environment in names)
    return Affected(baseline.commit, baseline.name, tuple(units), gone)


def spread(direct: Mapping[str, tuple[Reason, ...]], wires: Mapping[str, Mapping[str, str]]) -> dict[str, list[Reason]]:
    """The reasons of every unit that is affected, by unit: its own, then one for each affected unit that feeds it.

    `wires` says for each unit which units feed it, and which outputs it takes of each in words.
    """
    needs = {unit: frozenset(feeders) for unit, feeders in wires.items()}
    affected = direct.keys() | graph.dependants(needs, direct)
    return {
        unit: [
            *direct.get(unit, ()),
            *(
                Reason(Cause.UPSTREAM, f"takes {outputs} of {feeder}")
                for feeder, outputs in feeders.items()
                if feeder in affected
            ),
        ]
        for unit, feeders in wires.items()
        if unit in affected
    }


@dataclass(frozen=True)
class _Paths:
    """Paths, found by any folder that they lie in."""

    paths: frozenset[str]
    below: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, paths: Iterable[str]) -> _Paths:
        known, below = frozenset(paths), dict[str, list[str]]()
        for path in sorted(known):
            for folder in _upwards(path):
                below.setdefault(folder, []).append(path)
        return cls(known, below)

    def about(self, folder: str) -> list[str]:
        """The paths below `folder`; also one above it, for Git knows a submodule as one path."""
        above = _upwards(folder.rpartition("/")[0])
        return [*(path for path in above if path in self.paths), *self.below.get(folder, ())]


@dataclass(frozen=True)
class _Environment:
    """One environment; `touched` are the files, `differing` the rendered files that are not as in the commit."""

    resolved: Resolved
    baseline: Baseline
    touched: _Paths
    differing: _Paths

    @property
    def home(self) -> str:
        return f"environments/{self.resolved.environment.name}"

    def affected(self) -> Iterator[AffectedUnit]:
        environment = self.resolved.environment
        modules = {name: tuple(self._of_module(name)) for name in {each.module for each in environment.units.values()}}
        moved = {unit: self._of_origins(inputs) for unit, inputs in origins.moved(self.resolved, self.baseline).items()}
        found = {
            unit: self._direct(unit, (*modules[choice.module], *moved.get(unit, ())))
            for unit, choice in environment.units.items()
        }
        direct = {unit: reasons for unit, reasons in found.items() if reasons}
        reasons = spread(direct, {unit: self._wires(unit) for unit in environment.units})
        for unit, choice in environment.units.items():
            if unit in reasons:
                yield AffectedUnit(environment.name, unit, choice.module, tuple(reasons[unit]))

    def _wires(self, unit: str) -> dict[str, str]:
        taken: dict[str, list[str]] = {feeder: [] for feeder in self.resolved.edges[unit]}
        for binding in self.resolved.bindings[unit].inputs.values():
            if binding.wire is not None and binding.wire.unit in taken:
                taken[binding.wire.unit].append(binding.wire.output)
        return {feeder: ", ".join(sorted(set(outputs))) for feeder, outputs in taken.items()}

    def _direct(self, unit: str, known: tuple[Reason, ...]) -> tuple[Reason, ...]:
        is_single = self.resolved.environment.state is StateMode.SINGLE
        root = f"{self.home}/root" if is_single else f"{self.home}/units/{unit}"
        if f"{root}/{VALUES}" not in self.baseline.blobs:
            return (Reason(Cause.NEW, "is new"),)
        return (*known, *self._of_root(root))

    def _of_module(self, module: str) -> Iterator[Reason]:
        catalogue = self.resolved.catalogue.path
        is_pinned = bool(self.resolved.environment.catalogue)
        home, changed = (f"{self.home}/modules", self.differing) if is_pinned else ("modules", self.touched)
        own = f"{home}/{module}"
        if paths := _read_by_terraform(own, changed):
            yield Reason(Cause.MODULE, f"its module changed: {_listed(paths)}", paths)
        for path in sorted(fingerprints.modules(catalogue / module)):
            folder = posixpath.normpath(f"{home}/{os.path.relpath(path, catalogue.resolve())}")
            paths = () if f"{folder}/".startswith(f"{own}/") else _read_by_terraform(folder, changed)
            if paths:
                yield Reason(Cause.MODULE, f"its module calls {folder}, which changed: {_listed(paths)}", paths)

    def _of_root(self, root: str) -> Iterator[Reason]:
        beside = (path for path in self.touched.below.get(root, ()) if not _is_rendered(path))
        paths = sorted({*self.differing.below.get(root, ()), *beside})
        lock = tuple(path for path in paths if path == f"{root}/{LOCK}")
        others = tuple(path for path in paths if path not in lock)
        if others:
            names = [path.removeprefix(f"{root}/") for path in others]
            yield Reason(Cause.ROOT, f"its root {root} differs in {_listed(names)}", others)
        if lock:
            yield Reason(Cause.LOCK, f"its lock file differs: {lock[0]}", lock)

    def _of_origins(self, inputs: Sequence[str]) -> tuple[Reason, ...]:
        paths = self.baseline.changed.intersection(origins.files(self.resolved.environment.name))
        return (Reason(Cause.ORIGIN, f"its inputs come from elsewhere: {_listed(inputs)}", tuple(sorted(paths))),)


def _differing(rendered: Rendered, baseline: Baseline) -> Iterator[str]:
    """What is rendered and is not so in the commit, and copies of modules in the commit that are rendered no more."""
    now = {path.as_posix(): text for path, text in rendered.items()}
    yield from (path for path, text in now.items() if not baseline.holds(path, text))
    yield from (path for path in baseline.blobs if path.split("/")[2:3] == ["modules"] and path not in now)


def _roots(baseline: Baseline) -> Iterator[str]:
    """The folders of the roots that the commit holds."""
    for path in baseline.blobs:
        root, _, name = path.rpartition("/")
        if name == VALUES and root.split("/")[2:3] in (["units"], ["root"]):
            yield root


def _removed(root: str, baseline: Baseline) -> AffectedUnit:
    _, environment, *_, unit = root.split("/")
    text = f"is gone; its state may still hold resources: destroy them from a checkout of {baseline.commit[:8]}"
    return AffectedUnit(environment, unit, "", (Reason(Cause.REMOVED, text, (root,)),))


def _read_by_terraform(folder: str, changed: _Paths) -> tuple[str, ...]:
    """The changed files of a module in `folder` that Terraform may read: not its tests, its pages, its dummy."""
    found = []
    for path in changed.about(folder):
        inner = PurePosixPath(path.removeprefix(folder).lstrip("/"))
        is_about = len(inner.parts) == 1 and (inner.name.endswith(_ABOUT) or inner.name == MANIFEST)
        if not is_about and not _BESIDE.intersection(inner.parts[:1]):
            found.append(path)
    return tuple(found)


def _is_rendered(path: str) -> bool:
    """Whether a file in a root is one that rendering or running it makes: those count as they render now."""
    name = path.rpartition("/")[2]
    return name in (*FILES, VALUES, LOCK, WIRED) or ".terraform" in path.split("/")


def _upwards(path: str) -> Iterator[str]:
    """`path` and the folders that it lies in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else shown
