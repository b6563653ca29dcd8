"""Commands of plain Terraform that move the state of a removed unit to its successor."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ngp.environments.environment import StateKind, Target

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.runs.units import Unit

_FILE = "moved.tfstate"


def steps(resolved: Resolved, name: str, unit: Unit) -> tuple[str, ...]:
    """Return the commands that move the state of the removed unit `name` to `unit`, which has none.

    They run in the platform's folder, in order. Terraform locks each state that it changes. The new place has the whole
    state before the old one drops it, so a command that fails loses nothing.
    """
    platform, environment = resolved.platform, resolved.environment
    is_s3 = platform.state is StateKind.S3
    place = f"key={_beside(unit.place.key, name)}" if is_s3 else f"path={_beside(_relative(resolved, unit), name)}"
    binary = "tofu" if platform.terraform.rpartition("/")[2] == "tofu" else "terraform"
    own = f"{binary} init -reconfigure"
    old = f"{own} -backend-config={place}"
    leftovers = _FILE if is_s3 else f"{_FILE} terraform.tfstate.*.backup"
    endpoint = ['eval "$(ngp sandbox env)"'] if is_s3 and environment.target is Target.SANDBOX else []
    return (
        *endpoint,
        f"cd {shlex.quote(str(unit.root.relative_to(platform.path)))}",
        old,
        f"{binary} state pull > {_FILE}",
        own,
        f"{binary} state push {_FILE}",
        f"{binary} state mv module.{name} module.{unit.name}",
        old,
        f"{binary} state rm module.{name}",
        own,
        f"rm -f {leftovers}",
        "cd -",
        *([f"ngp render {environment.name}"] if binary == "tofu" else []),  # tofu init adds to the committed lock file
    )


def _beside(place: str, name: str) -> str:
    return f"{place.rpartition('/')[0]}/{name}.tfstate"


def _relative(resolved: Resolved, unit: Unit) -> str:
    """Return the path of a unit's local state as its rendered root writes it."""
    up = "../" * len(unit.root.relative_to(resolved.platform.path).parts)
    return f"{up}{unit.place.path.relative_to(resolved.platform.path)}" if unit.place.path else ""
