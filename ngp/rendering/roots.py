"""The files of an environment's Terraform roots: `ngp render` writes them, and stale checks compare them."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from ngp.cache import recall_each
from ngp.catalogue import facts
from ngp.environments import revisions, state_locations
from ngp.environments.environment import StateMode
from ngp.environments.resolving import Resolved
from ngp.errors import MissingError
from ngp.rendering import access, copies, exact, root, templates
from ngp.state import locations
from ngp.terraform import lockfile
from ngp.workspace import Workspace

FILES = ("main.tf", "variables.tf", "outputs.tf", "versions.tf")
VALUES = "values.auto.tfvars.json"
LOCK = lockfile.NAME
HEADER = "# Rendered by ngp from environments/"


def render(resolved: Resolved) -> Mapping[Path, str]:
    """All files of the environment, by their path relative to the platform's folder, in a stable order.

    Nothing is written. In per-module roots a root variable has the name of the module's input, in a single root
    ``UNIT__input``. Raises UsageError where a template or a pinned module cannot be used.
    """
    files = {Path(place / name): text for place, name, text in _files(resolved)}
    if resolved.environment.catalogue:
        files |= _copies(resolved)
    return dict(sorted(files.items()))


def together(resolved: Resolved, units: Collection[str], name: str) -> Mapping[str, str]:
    """Return the files of one root that contains these units, by name: like `render` with `state: single`.

    The root belongs beside those of the units, under `name`, so that it calls their modules by the same paths. The
    units must include every unit that feeds one of them.
    """
    chosen = {name: choice for name, choice in resolved.environment.units.items() if name in units}
    environment = replace(resolved.environment, state=StateMode.SINGLE, units=chosen)
    place = _home(resolved) / "units" / name
    return {file: text for _, file, text in _files(replace(resolved, environment=environment), place)}


def from_templates(resolved: Resolved, platform: Path) -> Mapping[PurePosixPath, str]:
    """Return the files made from templates, by path, with the templates of another folder `platform`.

    Raises UsageError for a template that fails.
    """
    made = dict(_roots(resolved, _home(resolved) / "root"))
    contexts = {place: _context(resolved, place, each) for place, each in made.items()}
    return {place / file: _page(platform, file, context) for place, context in contexts.items() for file in FILES}


def header(environment: str) -> str:
    """Return the first line of every rendered file that can contain a comment."""
    return (
        f"{HEADER}{environment}; do not edit: "
        f"change environment.yaml or terraform.tfvars and run `ngp render {environment}`."
    )


def _files(resolved: Resolved, single: PurePosixPath | None = None) -> Iterator[tuple[PurePosixPath, str, str]]:
    """Yield every file of every root: the root's path, the file's name and its text. `single` is the path of a single
    root."""
    master = _master(resolved.platform.path)
    made_roots = dict(_roots(resolved, single or _home(resolved) / "root"))
    texts = _texts(resolved, made_roots)
    for place, made in made_roots.items():
        for name, text in texts[str(place)].items():
            yield place, name, text
        yield place, VALUES, exact.dump(made.values)
        yield place, LOCK, _lock(master, made.sources)


def _roots(resolved: Resolved, single: PurePosixPath) -> Iterator[tuple[PurePosixPath, root.RenderedRoot]]:
    """Yield each root with its folder relative to the platform."""
    version = resolved.platform.terraform_version
    if resolved.environment.state is StateMode.SINGLE:
        parts = [_part(resolved, unit, single, f"{unit}__") for unit in resolved.environment.units]
        yield single, root.compose(parts, version)
        return
    for unit in resolved.environment.units:
        place = _home(resolved) / "units" / unit
        yield place, root.compose([_part(resolved, unit, place, "")], version)


def _copies(resolved: Resolved) -> dict[Path, str]:
    """Return the pinned modules, and the file that names their commit."""
    environment, target = resolved.environment, _home(resolved) / "modules"
    used = {choice.module for choice in environment.units.values()}
    contents = f"{header(environment.name)}\n{revisions.origin(environment.catalogue)}\n"
    texts = {PurePosixPath(revisions.PIN): contents, **copies.collect(resolved.catalogue.path, used)}
    return {Path(target / path): text for path, text in texts.items()}


def _part(resolved: Resolved, unit: str, place: PurePosixPath, prefix: str) -> root.RootPart:
    module = resolved.catalogue.modules[resolved.environment.units[unit].module]
    home = _home(resolved) if resolved.environment.catalogue else PurePosixPath()
    source = PurePosixPath(posixpath.relpath(home / "modules" / module.name, place))
    beside = frozenset(resolved.environment.units) if prefix else frozenset[str]()
    return root.RootPart(resolved.bindings[unit], module, source, prefix, beside)


def _texts(resolved: Resolved, made: Mapping[PurePosixPath, root.RenderedRoot]) -> Mapping[str, Mapping[str, str]]:
    """Return the templated files of each root, by the root's path; cached by root, because loading Jinja is slow."""
    platform, name = resolved.platform, resolved.environment.name
    contexts = {str(place): _context(resolved, place, each) for place, each in made.items()}
    own = templates.digest(platform.path)
    contents = {place: json.dumps([own, _plain(context)]).encode() for place, context in contexts.items()}

    def render(places: Sequence[str]) -> dict[str, dict[str, str]]:
        return {place: {file: _page(platform.path, file, contexts[place]) for file in FILES} for place in places}

    return recall_each(platform.cache, f"{name}/roots/{resolved.environment.state.value}", contents, render)


def _page(platform: Path, file: str, context: Mapping[str, Any]) -> str:
    # modules that Git checked out with CRLF give the same root
    return templates.render(platform, f"root/{file}.j2", context).replace("\r\n", "\n")


def _context(resolved: Resolved, place: PurePosixPath, made: root.RenderedRoot) -> dict[str, Any]:
    environment = resolved.environment
    return {
        "header": header(environment.name),
        "root": made,
        "backend": access.backend(_state(resolved, place.name), environment, place),
        "provider": access.provider(environment),
    }


def _plain(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the complete context of a template as JSON data."""
    made: root.RenderedRoot = context["root"]
    contents = {**vars(made), "sources": sorted(made.sources), "values": facts.encode(dict(made.values))}
    more = {name: [vars(each) for each in contents[name]] for name in ("calls", "variables", "outputs", "secrets")}
    others = {name: vars(context[name]) for name in ("backend", "provider")}
    return {**others, "header": context["header"], "root": {**contents, **more}}


def _state(resolved: Resolved, unit: str) -> locations.StateLocation:
    relative = Workspace.of(Path())  # like every path in a committed file
    return state_locations.locate(resolved.platform, resolved.environment, unit, relative)


def _home(resolved: Resolved) -> PurePosixPath:
    return PurePosixPath("environments") / resolved.environment.name


def _master(platform: Path) -> str:
    path = platform / LOCK
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingError(
            "the master lock file is missing",
            where=str(path),
            why="each root carries a copy, so that every machine runs the same providers",
            todo="run `ngp lock`",
        ) from None


@lru_cache(maxsize=32)  # one text per set of providers, for any number of roots
def _lock(master: str, sources: frozenset[str]) -> str:
    """Return the master lock without unused providers, which `-lockfile=readonly` would refuse."""
    lock = lockfile.parse(master, where=LOCK)
    needed = [one for one in lock if any(f"/{one.address}".endswith(f"/{source}") for source in sources)]
    return master if len(needed) == len(lock) else lockfile.render(needed)
