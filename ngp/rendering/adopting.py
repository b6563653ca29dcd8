"""Adds a copy of somebody else's module to a platform, or renews it: fetches, shows the changes, and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.catalogue import loading, vendored
from ngp.environments import remotes
from ngp.environments.environment import Platform
from ngp.errors import NgpError
from ngp.rendering import adoption
from ngp.rendering.adoption import Adoption, AdoptionRequest

Agree = Callable[[str, Sequence[str]], bool]  # the module's name, and what its renewal changes


@dataclass(frozen=True)
class Adopted:
    """A copy that is in the catalogue now. Paths are relative to the platform."""

    name: str
    adoption: Adoption
    written: tuple[Path, ...]
    removed: tuple[Path, ...]


def adopt(platform: Platform, address: remotes.ModuleAddress, name: str, agree: Agree) -> Adopted:
    """Write a copy of the module at `address`, under its own name where `name` is "".

    `agree` is asked before a copy that is here already changes. Raises UsageError (64) for all that prevents the copy,
    NgpError for a no, LockHeldError (5) while another ngp writes.
    """
    name = name or address.default_name
    catalogue = loading.load(platform.path / "modules", platform.cache)
    with remotes.open_source(platform, address) as fetched:
        request = AdoptionRequest(name, str(address), fetched.commit, vendored.collect(fetched.folder))
        found = adoption.prepare(platform.path, catalogue, request)
    if found.changes and not agree(name, found.changes):
        raise NgpError("the copy was not changed", why="you answered no")
    with files.lock(platform.workspace.platform_lock, purpose=f"ngp module add {name}"):
        written = files.write_all(dict(found.files))
        files.remove_all(found.removed)
    return Adopted(name, found, _relative(platform, written), _relative(platform, found.removed))


def _relative(platform: Platform, paths: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(path.relative_to(platform.path) for path in paths)
