"""Digests of the files that a preview was made from: an apply refuses files that nobody reviewed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ngp.errors import Finding, StaleError
from ngp.runs import copies, wires
from ngp.runs.envelope import agrees
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.units import Unit

Digests = Mapping[Path, str]  # by file


@dataclass(frozen=True)
class ReviewedFiles:
    """Digests of the files of roots and modules, by unit, and the outputs that were expected of upstream units."""

    units: Mapping[str, Unit]
    files: Mapping[str, Digests]
    known: ExpectedOutputs

    @classmethod
    def collect(cls, units: Iterable[Unit], known: ExpectedOutputs) -> ReviewedFiles:
        """Compute the digests of the files of these units. Call it before the preview, so that a later edit is
        noticed."""
        named = {unit.name: unit for unit in units}
        return cls(named, _digest(named.values()), known)

    def require_files(self) -> None:
        """Raise StaleError (4) with every file that differs from the preview."""
        now = _digest(self.units.values())
        moved = sorted({path for name in self.units for path in _differing(self.files[name], now[name])})
        if moved:
            raise StaleError(
                [
                    Finding("this file changed after the preview", str(path), todo="review a new plan, then apply it")
                    for path in moved
                ]
            )

    def moved(self, unit: str, wired: Mapping[str, Any]) -> str:
        """Return what changed in a unit since the preview, given the values of its wires; "" if nothing did."""
        now = _digest([self.units[unit]])[unit]
        paths = [f"{path} changed after the preview" for path in _differing(self.files[unit], now)]
        return "; ".join([*paths, *self._other_values(self.units[unit], wired)])

    def _other_values(self, unit: Unit, wired: Mapping[str, Any]) -> list[str]:
        self.known.learn(unit.wires)
        outputs = {wire: self.known.get(wire) for wire in unit.wires}
        return [
            f"`{wire.name}` uses {wire.origin}, whose value has changed since the preview"
            for wire, expected in outputs.items()
            if not agrees(expected.value, expected.unknown, wired.get(wire.name))
        ]


def _digest(units: Iterable[Unit]) -> dict[str, Digests]:
    """Return the digest of every file of each unit's root and modules."""
    modules: dict[Path, Digests] = {}
    found: dict[str, Digests] = {}
    for unit in units:
        called = copies.closure(unit.sources.values())
        for module in called:
            if module not in modules:
                modules[module] = _digest_folder(module)
        whole = _digest_folder(unit.root)
        whole.pop(unit.root / wires.FILE, None)  # its values are compared separately
        for module in called:
            whole |= modules[module]
        found[unit.name] = whole
    return found


def _digest_folder(folder: Path) -> dict[Path, str]:
    return {folder / name: _digest_file(folder / name) for name in copies.names(folder)}


def _digest_file(path: Path) -> str:
    """Return the digest of a file's content; of a link also its target, of other things only their kind."""
    digest = hashlib.sha256(str(path.readlink()).encode() if path.is_symlink() else b"")
    if path.is_file():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _differing(before: Digests, now: Digests) -> list[Path]:
    return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
