"""Finds the units that a change affects, and why. It reads changed files in roots, and the calls and links of
modules."""

from __future__ import annotations

import os.path
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property
from pathlib import Path

from ngp.environments import platforms
from ngp.environments.environment import Platform, StateMode
from ngp.environments.resolving import Resolved
from ngp.rendering.roots import FILES, LOCK, VALUES
from ngp.rendering.staleness import WIRED, compare
from ngp.review import origins
from ngp.review.baseline import Baseline
from ngp.review.paths import Paths, places
from ngp.runs import graph
from ngp.terraform import fingerprints

Rendered = Mapping[Path, str]  # path relative to the platform → text
Reach = Callable[[Path], Mapping[Path, Sequence[Path]]]  # folder of a module → it and those it calls → their places

_SHOWN = 3  # paths that a reason names in words


class CauseKind(Enum):
    NEW = "new"
    REMOVED = "removed"
    MODULE = "module"
    ROOT = "root"
    LOCK = "lock"
    ORIGIN = "origin"
    PLATFORM = "platform"
    UPSTREAM = "upstream"


@dataclass(frozen=True)
class Reason:
    """A reason: `text` describes it; `paths` are its files, relative to the platform, sorted.

    `folder` is the folder that the text names: the root of the unit, or a module that its module calls.
    """

    cause: CauseKind
    text: str
    paths: tuple[str, ...] = ()
    folder: str = ""


@dataclass(frozen=True)
class AffectedUnit:
    """A unit and all reasons. `module` is "" for a removed one."""

    environment: str
    unit: str
    module: str
    reasons: tuple[Reason, ...]

    @property
    def is_direct(self) -> bool:
        """Whether the change affects the unit itself, not only its upstreams."""
        return any(reason.cause is not CauseKind.UPSTREAM for reason in self.reasons)


@dataclass(frozen=True)
class Affected:
    """The affected units since `commit`, by environment; `name` says how the commit was found.

    `changed` are all changed paths, relative to the platform.
    """

    commit: str
    name: str
    units: tuple[AffectedUnit, ...]
    removed: tuple[AffectedUnit, ...] = ()
    changed: frozenset[str] = frozenset()

    def names(self, environment: str) -> tuple[str, ...]:
        """The affected units of one environment."""
        return tuple(self._names.get(environment, ()))

    def covers(self, path: Path) -> bool:
        """Whether the rendered file at `path` has changed or belongs to an affected or removed unit or to the platform.

        The one root of a `single` state and the copies of a pinned catalogue belong to all units of their environment.
        """
        if path.parts[0] != "environments" or path.as_posix() in self.changed:
            return True
        _, environment, kind, *rest = path.parts
        return (environment, rest[0]) in self._places if kind == "units" else environment in self._environments

    @cached_property
    def _names(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for each in self.units:
            found.setdefault(each.environment, []).append(each.unit)
        return found

    @cached_property
    def _places(self) -> frozenset[tuple[str, str]]:
        return frozenset((each.environment, each.unit) for each in (*self.units, *self.removed))

    @cached_property
    def _environments(self) -> frozenset[str]:
        return frozenset(environment for environment, _ in self._places)


def decide(
    platform: Platform, resolved: Sequence[Resolved], rendered: Rendered, baseline: Baseline, *, whole: bool = False
) -> Affected:
    """Hold environments, as they render now and as they lie on the disk, against the commit of `baseline`.

    Affected is a unit that is new, whose module (or one that it calls), root or lock file differs, whose inputs come
    from elsewhere, and whoever takes an output of an affected one; with another Terraform it is every one. Removed are
    those that the commit had and that are gone, with `whole` also those of environments that are gone. Linear in
    units, wires and files.
    """
    differing = Paths.of(_differing(platform, rendered, baseline))
    touched = Paths.of(_followed(platform, baseline))
    common, reach = tuple(_of_platform(platform, baseline)), cache(_reach)
    environments = (_Environment(each, baseline, touched, differing, common, reach) for each in resolved)
    units = tuple(unit for each in environments for unit in each.affected())
    names = None if whole else {each.environment.name for each in resolved}
    gone = tuple(each for each in _removed(resolved, rendered, baseline) if names is None or each.environment in names)
    return Affected(baseline.commit, baseline.name, units, gone, baseline.changed)


def spread(direct: Mapping[str, tuple[Reason, ...]], wires: Mapping[str, Mapping[str, str]]) -> dict[str, list[Reason]]:
    """Return the reasons of every affected unit: its own, then one for each affected upstream.

    `wires` has for each unit its upstreams and the outputs that it uses.
    """
    needs = {unit: frozenset(feeders) for unit, feeders in wires.items()}
    affected = direct.keys() | graph.dependants(needs, direct)
    return {
        unit: [
            *direct.get(unit, ()),
            *(
                Reason(CauseKind.UPSTREAM, f"uses {outputs} of {feeder}")
                for feeder, outputs in feeders.items()
                if feeder in affected
            ),
        ]
        for unit, feeders in wires.items()
        if unit in affected
    }


@dataclass(frozen=True)
class _Environment:
    """One environment; `touched` are the files, `differing` the rendered files that are not as in the commit, `common`
    the reasons of every unit."""

    resolved: Resolved
    baseline: Baseline
    touched: Paths
    differing: Paths
    common: tuple[Reason, ...]
    reach: Reach

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
            return (Reason(CauseKind.NEW, "is new"),)
        return (*self.common, *known, *self._of_root(root))

    def _of_module(self, module: str) -> Iterator[Reason]:
        base, home, changed = self.resolved.platform.path, "", self.touched
        if self.resolved.environment.catalogue:  # the copies that are rendered, wherever their originals lie
            base, home, changed = self.resolved.catalogue.path, f"{self.home}/modules", self.differing
        own, seen = self.resolved.catalogue.path / module, set[str]()
        for folder, its_places in self.reach(own).items():
            name, *others = (_relative(place, base, home) for place in (folder, *its_places))
            found = (path for place in dict.fromkeys((name, *others)) for path in changed.of_module(folder.name, place))
            if paths := tuple(path for path in dict.fromkeys(found) if path not in seen):
                seen.update(paths)
                called = "" if folder == own else name
                what = f"its module calls {called}, which changed" if called else "its module changed"
                yield Reason(CauseKind.MODULE, f"{what}: {_listed(paths)}", paths, called)

    def _of_root(self, root: str) -> Iterator[Reason]:
        beside = (path for path in self.touched.below.get(root, ()) if not _is_rendered(path))
        paths = sorted({*self.differing.below.get(root, ()), *beside})
        lock = tuple(path for path in paths if path == f"{root}/{LOCK}")
        others = tuple(path for path in paths if path not in lock)
        if others:
            names = [path.removeprefix(f"{root}/") for path in others]
            yield Reason(CauseKind.ROOT, f"its root {root} differs in {_listed(names)}", others, root)
        if lock:
            yield Reason(CauseKind.LOCK, f"its lock file differs: {lock[0]}", lock)

    def _of_origins(self, inputs: Sequence[str]) -> tuple[Reason, ...]:
        paths = self.baseline.changed.intersection(origins.files(self.resolved.environment.name))
        return (Reason(CauseKind.ORIGIN, f"its inputs have other sources: {_listed(inputs)}", tuple(sorted(paths))),)


def _differing(platform: Platform, rendered: Rendered, baseline: Baseline) -> Iterator[str]:
    """What is rendered and is not so in the commit, what was edited by hand since, and copies of modules that are
    rendered no more."""
    now = {path.as_posix(): text for path, text in rendered.items()}
    yield from (path for path, text in now.items() if not baseline.holds(path, text))
    changed = {Path(path): now[path] for path in baseline.changed & now.keys()}
    yield from (path.as_posix() for path in compare(platform.path, changed, ()).changes)
    known = baseline.changed | baseline.blobs.keys()
    yield from (path for path in known if path.split("/")[2:3] == ["modules"] and path not in now)


def _followed(platform: Platform, baseline: Baseline) -> Iterator[str]:
    """The changed paths, and where those that are links lead to now."""
    for path in baseline.changed:
        yield path
        if not path.startswith("environments/") and (platform.path / path).is_symlink():
            yield _relative(Path(os.path.realpath(platform.path / path)), platform.path)


def _reach(module: Path) -> Mapping[Path, Sequence[Path]]:
    return {folder: places(folder) for folder in (module, *sorted(fingerprints.modules(module)))}


def _relative(path: Path, base: Path, home: str = "") -> str:
    """Return `path`, relative to `base`, as if `base` were `home`."""
    inside = path.relative_to(base) if path.is_relative_to(base) else os.path.relpath(path, base.resolve())
    return posixpath.normpath(posixpath.join(home, inside))


def _of_platform(platform: Platform, baseline: Baseline) -> Iterator[Reason]:
    if origins.is_other_terraform(platform, baseline):
        text = f"{platforms.FILE} selects another Terraform: {platform.terraform or 'the one on PATH'}"
        yield Reason(CauseKind.PLATFORM, text, (platforms.FILE,))


def _removed(resolved: Sequence[Resolved], rendered: Rendered, baseline: Baseline) -> Iterator[AffectedUnit]:
    """The units that had a root in the commit, or a part of the one root, and have none now."""
    now = {path.parent.as_posix() for path in rendered if path.name == VALUES}
    units = {each.environment.name: each.environment.units for each in resolved}
    for root in _roots(baseline):
        _, environment, kind, *rest = root.split("/")
        if root not in now:
            text = (
                f"was removed; if its state still has resources, destroy them from a checkout of {baseline.commit[:8]}"
            )
            names = rest if kind == "units" else origins.units(environment, baseline) or [kind]
        elif kind == "root":
            text = f"was removed from {root}; its plan shows what will be destroyed"
            names = [name for name in origins.units(environment, baseline) if name not in units[environment]]
        else:
            continue
        yield from (AffectedUnit(environment, name, "", (Reason(CauseKind.REMOVED, text, (root,)),)) for name in names)


def _roots(baseline: Baseline) -> Iterator[str]:
    """The folders of the roots that the commit holds."""
    for path in baseline.blobs:
        root, _, name = path.rpartition("/")
        if name == VALUES and (root.split("/")[2:-1] == ["units"] or root.split("/")[2:] == ["root"]):
            yield root


def _is_rendered(path: str) -> bool:
    """Whether a file in a root is one that rendering or running it makes: those count as they render now."""
    name = path.rpartition("/")[2]
    return name in (*FILES, VALUES, LOCK, WIRED) or ".terraform" in path.split("/")


def _listed(paths: Sequence[str]) -> str:
    shown = ", ".join(paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else shown
