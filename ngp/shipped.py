"""Where the modules and templates lie that come with ngp: in the wheel, or in the checkout it runs from."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def modules() -> Path:
    """The folder of the shipped catalogue."""
    return _folder("modules")


def templates() -> Path:
    """The folder of ngp's own Jinja templates."""
    return _folder("templates")


def lock_file() -> Path:
    """The master lock file that a new platform starts with."""
    wheel = _PACKAGE / "_shipped" / "terraform.lock.hcl"
    return wheel if wheel.is_file() else _PACKAGE.parent / ".terraform.lock.hcl"


def _folder(name: str) -> Path:
    wheel = _PACKAGE / "_shipped" / name
    return wheel if wheel.is_dir() else _PACKAGE.parent / name
