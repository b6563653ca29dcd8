"""The pool: a daemon that keeps configured providers and loaded commands between commands."""

from pathlib import Path

from ngp.workspace import Workspace


def home(workspace: Path) -> Path:
    """Return the folder of a platform's pool below its ``.ngp``."""
    return Workspace(workspace).pool
