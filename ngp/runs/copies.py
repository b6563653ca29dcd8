"""Copies of rendered roots below .ngp/, so that nothing writes into a committed one.

Every plan is made on a copy. OpenTofu works on one for everything else too: it knows providers under addresses of its
own, and would rewrite the lock file of a committed root.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ngp.files import private_folder
from ngp.rendering import exact
from ngp.runs.units import Unit
from ngp.terraform import driver, lockfile
from ngp.terraform.binary import Binary

_OVERRIDE = "copy_override.tf.json"


def files(unit: Unit) -> dict[str, bytes]:
    """The files of a unit's root by their names, without states."""
    return {path.name: path.read_bytes() for path in unit.root.iterdir() if _is_copied(path)}


def lay(wanted: Mapping[str, bytes], folder: Path, binary: Binary) -> None:
    """Make `folder` a root of the files `wanted`, by their names; states in it are left alone.

    A folder that was laid before stays one: a process of a killed run may still stand in it.
    """
    private_folder(folder)
    for path in folder.iterdir():
        if _is_copied(path) and path.name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        (folder / name).write_bytes(data)
    lockfile.readdress(folder / lockfile.NAME, binary.registry)


def working_root(unit: Unit, copy: Path, data: Path, binary: Binary) -> driver.Root:
    """Where `binary` works on a unit for real: Terraform in its committed root, OpenTofu in `copy`, laid anew."""
    if not binary.is_opentofu:
        return driver.Root(unit.root, data)
    lay({**files(unit), _OVERRIDE: exact.dump(_override(unit, copy)).encode()}, copy, binary)
    return driver.Root(copy, data)


def sources(unit: Unit, folder: Path) -> dict[str, str]:
    """The source of each module block of a unit's root, as seen from a copy in `folder`."""
    return {name: os.path.relpath(path, folder) for name, path in unit.sources.items()}


def _override(unit: Unit, folder: Path) -> dict[str, object]:
    modules = {name: {"source": source} for name, source in sources(unit, folder).items()}
    if unit.place.path is None:
        return {"module": modules}
    path = os.path.relpath(unit.place.path, folder)
    return {"module": modules, "terraform": {"backend": {"local": {"path": path}}}}


def _is_copied(path: Path) -> bool:
    return path.is_file() and ".tfstate" not in path.name
