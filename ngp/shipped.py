"""The modules and templates shipped with ngp, in the wheel or in the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def modules() -> Path:
    """Return the folder of the shipped catalogue."""
    return _folder("modules")


def templates() -> Path:
    """Return the folder of ngp's own Jinja templates."""
    return _folder("templates")


def lock_file() -> Path:
    """Return the master lock file of a new platform."""
    wheel = _PACKAGE / "_shipped" / "terraform.lock.hcl"
    return wheel if wheel.is_file() else _PACKAGE.parent / ".terraform.lock.hcl"


def _folder(name: str) -> Path:
    wheel = _PACKAGE / "_shipped" / name
    return wheel if wheel.is_dir() else _PACKAGE.parent / name
