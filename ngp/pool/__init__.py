"""Keeps warm between commands: configured providers, AWS sessions and loaded commands."""

from pathlib import Path


def home(workspace: Path) -> Path:
    """Return the folder of a platform's pool below its ``.ngp``."""
    return workspace / "pool"
