"""Digests and versions of everything that a plan is made from, comparable between machines."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ngp import files
from ngp.aws.session import Session
from ngp.errors import NgpError
from ngp.rendering import roots
from ngp.runs import copies, secrets, wires
from ngp.runs.bundle.statement import BinaryFact, SecretFact, StateFact
from ngp.runs.units import Unit
from ngp.state import storing
from ngp.state.locations import StateLocation
from ngp.terraform import lockfile, states
from ngp.terraform.binary import Binary

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved

_READERS = 8


@dataclass(frozen=True)
class Sources:
    """The files that a unit is made from. `root`, `modules`, `values` and `wiring` are digests."""

    root: str
    modules: str
    values: str
    wiring: str
    files: Mapping[str, str]  # digest by path, relative to the platform


@dataclass(frozen=True)
class Snapshot:
    """The inputs before a plan. A bundle is made only if they are the same afterwards."""

    sources: Mapping[str, Sources]
    states: Mapping[str, StateFact | NgpError]
    lock: str
    binary: BinaryFact
    secrets: Mapping[str, Mapping[str, SecretFact]]


def sources(resolved: Resolved, units: Mapping[str, Unit]) -> dict[str, Sources]:
    """Return the source digests of each unit. Line ends do not count, because Git may change them on checkout."""
    platform = resolved.platform.path
    digests = cache(_digest_folder)  # several units use one module
    return {name: _sources(unit, platform, digests) for name, unit in units.items()}


def lock(platform: Path) -> str:
    """Return the digest of the platform's lock file, "" if there is none."""
    path = platform / lockfile.NAME
    return digest(path) if path.is_file() else ""


def binary(found: Binary) -> BinaryFact:
    """Return the identity of the program that plans and applies.

    For a version manager's shim only the version is known, because the shim may start different files.
    """
    program = found.program
    if program is None:
        return BinaryFact(found.flavour, found.version, "")
    with program.open("rb") as file:
        return BinaryFact(found.flavour, found.version, hashlib.file_digest(file, "sha256").hexdigest())


def place(where: StateLocation, platform: Path) -> str:
    """Return the name of a state's location that is equal on all machines."""
    return os.path.relpath(where.path, platform) if where.path is not None else str(where)


def state(where: StateLocation, session: Session, platform: Path) -> StateFact:
    """Return the current version of a state. Raises NgpError if it cannot be read."""
    found = storing.fetch(where, session)
    if not found.text.strip():
        return StateFact(place(where, platform), version=found.version)
    held = states.parse(found.text, where=str(where))
    return StateFact(place(where, platform), held.lineage, held.serial, found.version)


def all_states(units: Iterable[Unit], session: Session, platform: Path) -> dict[str, StateFact | NgpError]:
    """Return the versions of the units' states, read concurrently; an error for a state that cannot be read."""

    def read(unit: Unit) -> tuple[str, StateFact | NgpError]:
        try:
            return unit.name, state(unit.place, session, platform)
        except NgpError as error:
            return unit.name, error

    with ThreadPoolExecutor(_READERS, thread_name_prefix="state") as pool:
        return dict(pool.map(read, units))


def secret_versions(references: Mapping[str, str], session: Session) -> dict[str, SecretFact]:
    """Return the source and version of each secret input, without values."""
    return {name: SecretFact(reference, secrets.version(reference, session)) for name, reference in references.items()}


def _sources(unit: Unit, platform: Path, digests: Callable[[Path], Mapping[Path, str]]) -> Sources:
    own = {path: one for path, one in digests(unit.root).items() if path.name != wires.FILE}
    called: dict[Path, str] = {}
    for module in copies.closure(unit.sources.values()):
        called |= digests(module)
    feeding = sorted((wire.name, str(wire.origin)) for wire in unit.wires)
    return Sources(
        _whole(own, platform),
        _whole(called, platform),
        own.get(unit.root / roots.VALUES, ""),
        hashlib.sha256(json.dumps(feeding).encode()).hexdigest(),
        _relative(own | called, platform),
    )


def _digest_folder(folder: Path) -> Mapping[Path, str]:
    return {folder / name: digest(folder / name) for name in sorted(copies.names(folder))}


def digest(path: Path) -> str:
    """Return the digest of a file's text, or of a link's target."""
    data = str(path.readlink()).encode() if path.is_symlink() else files.unify_lines(path.read_bytes())
    return hashlib.sha256(data).hexdigest()


def _whole(digests: Mapping[Path, str], platform: Path) -> str:
    """Return one digest of many files and their names."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(_relative(digests, platform).items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _relative(digests: Mapping[Path, str], platform: Path) -> dict[str, str]:
    return {os.path.relpath(path, platform): digest for path, digest in digests.items()}
