"""The files of an environment's Terraform roots, as values: what `ngp render` writes and a stale-check compares."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ngp.environments.environment import StateMode
from ngp.environments.resolving import Resolved
from ngp.errors import UsageError
from ngp.rendering import access, copies, root, templates, values
from ngp.state import places

FILES = ("main.tf", "variables.tf", "outputs.tf", "versions.tf")
VALUES = "values.auto.tfvars.json"
LOCK = ".terraform.lock.hcl"
HEADER = "# Rendered by ngp from environments/"


def render(resolved: Resolved) -> Mapping[Path, str]:
    """All files of the environment, by their path relative to the platform's folder, in a stable order.

    Nothing is written. In per-module roots a root variable has the name of the module's input, in a single root
    ``UNIT__input``. Raises UsageError where a template or a pinned module cannot be used.
    """
    lock = _lock(resolved.platform.path)
    files: dict[Path, str] = {}
    for place, made in _roots(resolved):
        files |= {Path(place / name): text for name, text in _texts(resolved, place, made).items()}
        files[Path(place / VALUES)] = values.render(made.values)
        files[Path(place / LOCK)] = lock
    if resolved.environment.catalogue:
        used = {choice.module for choice in resolved.environment.units.values()}
        target = _home(resolved) / "modules"
        files |= {Path(target / path): text for path, text in copies.collect(resolved.catalogue.path, used).items()}
    return dict(sorted(files.items()))


def header(environment: str) -> str:
    """The first line of every rendered file that can hold a comment."""
    return (
        f"{HEADER}{environment}; do not edit: "
        f"change environment.yaml or terraform.tfvars and run `ngp render {environment}`."
    )


def _roots(resolved: Resolved) -> Iterator[tuple[PurePosixPath, root.Root]]:
    """Each root with its folder relative to the platform."""
    version = resolved.platform.terraform_version
    if resolved.environment.state is StateMode.SINGLE:
        place = _home(resolved) / "root"
        parts = [_part(resolved, unit, place, f"{unit}__") for unit in resolved.environment.units]
        yield place, root.compose(parts, version)
        return
    for unit in resolved.environment.units:
        place = _home(resolved) / "units" / unit
        yield place, root.compose([_part(resolved, unit, place, "")], version)


def _part(resolved: Resolved, unit: str, place: PurePosixPath, prefix: str) -> root.Part:
    module = resolved.catalogue.modules[resolved.environment.units[unit].module]
    home = _home(resolved) if resolved.environment.catalogue else PurePosixPath()
    source = PurePosixPath(posixpath.relpath(home / "modules" / module.name, place))
    return root.Part(resolved.bindings[unit], module, source, prefix)


def _texts(resolved: Resolved, place: PurePosixPath, made: root.Root) -> dict[str, str]:
    environment = resolved.environment
    context = {
        "header": header(environment.name),
        "root": made,
        "backend": access.backend(places.derive(_scope(resolved), place.name), environment, place),
        "provider": access.provider(environment),
    }
    return {name: templates.render(resolved.platform.path, f"root/{name}.j2", context) for name in FILES}


def _scope(resolved: Resolved) -> places.Scope:
    platform, environment = resolved.platform, resolved.environment
    return places.Scope(
        platform=platform.name,
        account=environment.account,
        region=environment.region,
        environment=environment.name,
        kind=platform.state.value,
        bucket=platform.state_bucket,
        single=environment.state is StateMode.SINGLE,
        workspace=Path(".ngp"),
    )


def _home(resolved: Resolved) -> PurePosixPath:
    return PurePosixPath("environments") / resolved.environment.name


def _lock(platform: Path) -> str:
    path = platform / LOCK
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            "the master lock file is missing",
            where=str(path),
            why="each root carries a copy, so that every machine runs the same providers",
            todo="run `ngp lock`",
        ) from None
