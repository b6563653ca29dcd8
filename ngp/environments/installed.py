"""What would run here: ngp, Python and Terraform, and the ngp that rendered the platform."""

from __future__ import annotations

import platform as machine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ngp
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.settings import Settings
from ngp.terraform import binary
from ngp.terraform.binary import Binary

_ANY = ">= 0.0.0"  # shown even if ngp.yaml refuses it


@dataclass(frozen=True)
class Installed:
    """Versions. `terraform` is None if none is found; `rendered_by` is "" outside of a platform."""

    version: str
    python: str
    system: str
    terraform: Binary | None
    rendered_by: str


def collect(settings: Settings, cwd: Path | None) -> Installed:
    """Return what is installed; never fails. `cwd` is None where the working folder was deleted."""
    platform, found = None, None
    with suppress(NgpError):
        platform = platforms.load(platforms.find(cwd)) if cwd else None
    with suppress(NgpError):
        setting = platform.terraform if platform else ""
        place = platform.path if platform else cwd or Path("/")  # a shim reads its version file there
        found = binary.find(setting, _ANY, settings.environ, cwd=place, cache=settings.cache)
    return Installed(
        ngp.__version__,
        machine.python_version(),
        f"{machine.system()} {machine.machine()}",
        found,
        platform.rendered_by if platform else "",
    )
