"""What a plan is made from, as values that can be compared on another machine."""

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
from ngp.state.places import StatePlace
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
    """What is there before a plan is made. A bundle is made only if it is the same afterwards."""

    sources: Mapping[str, Sources]
    states: Mapping[str, StateFact | NgpError]
    lock: str
    binary: BinaryFact
    secrets: Mapping[str, Mapping[str, SecretFact]]


def sources(resolved: Resolved, units: Mapping[str, Unit]) -> dict[str, Sources]:
    """Return what each unit is made from. Line ends do not count: Git may have changed them on checkout."""
    platform = resolved.platform.path
    digests = cache(_digest_folder)  # several units use one module
    return {name: _sources(unit, platform, digests) for name, unit in units.items()}


def lock(platform: Path) -> str:
    """Return the digest of the platform's lock file, "" for none."""
    path = platform / lockfile.NAME
    return digest(path) if path.is_file() else ""


def binary(found: Binary) -> BinaryFact:
    """Return the identity of the program that plans and applies.

    Behind a version manager's shim only its version is known: the shim may start another file each time.
    """
    program = found.program
    if program is None:
        return BinaryFact(found.flavour, found.version, "")
    with program.open("rb") as file:
        return BinaryFact(found.flavour, found.version, hashlib.file_digest(file, "sha256").hexdigest())


def place(where: StatePlace, platform: Path) -> str:
    """Return a state's place as it is named on every machine."""
    return os.path.relpath(where.path, platform) if where.path is not None else str(where)


def state(where: StatePlace, session: Session, platform: Path) -> StateFact:
    """Return which version of a state is there. Raises NgpError for one that cannot be read."""
    found = storing.fetch(where, session)
    if not found.text.strip():
        return StateFact(place(where, platform), version=found.version)
    held = states.parse(found.text, where=str(where))
    return StateFact(place(where, platform), held.lineage, held.serial, found.version)


def all_states(units: Iterable[Unit], session: Session, platform: Path) -> dict[str, StateFact | NgpError]:
    """Return the versions of the units' states, several read at once; an error for a state that cannot be read."""

    def read(unit: Unit) -> tuple[str, StateFact | NgpError]:
        try:
            return unit.name, state(unit.place, session, platform)
        except NgpError as error:
            return unit.name, error

    with ThreadPoolExecutor(_READERS, thread_name_prefix="state") as pool:
        return dict(pool.map(read, units))


def secret_versions(references: Mapping[str, str], session: Session) -> dict[str, SecretFact]:
    """Return the source and its version of each secret input; the values are not kept."""
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
    """The digest of a file's text; of a link that of its target."""
    data = str(path.readlink()).encode() if path.is_symlink() else files.unify_lines(path.read_bytes())
    return hashlib.sha256(data).hexdigest()


def _whole(digests: Mapping[Path, str], platform: Path) -> str:
    """One digest of many files, with their names."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(_relative(digests, platform).items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _relative(digests: Mapping[Path, str], platform: Path) -> dict[str, str]:
    return {os.path.relpath(path, platform): digest for path, digest in digests.items()}
