"""Shows a new platform: the written files, and the next steps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ngp.settings import Settings
from ngp.views import terminal


def document(folder: Path, name: str, written: Sequence[Path]) -> dict[str, Any]:
    """``ngp.init/1``."""
    paths = [path.relative_to(folder) for path in written]
    return {"schema": "ngp.init/1", "name": name, "path": folder, "written": paths}


def print_result(folder: Path, name: str, written: Sequence[Path], settings: Settings, *, is_nested: bool) -> None:
    """Say what was made and what comes next; a platform inside of a repository needs none of its own."""
    terminal.say(settings, f"created the platform `{name}` in {folder}: {terminal.amount(len(written), 'file')}")
    here, more = ("", " && ngp ci init github") if is_nested else (" && git init", "")
    terminal.say(settings, f"next: cd {shlex.quote(str(folder))}{here} && ngp env new dev{more}")
    terminal.say(settings, "      its README.md explains the next steps, in the sandbox and in an account")
