"""Shows which report files were written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ngp.errors import NgpError
from ngp.settings import Settings
from ngp.views import terminal


def print_written(paths: Sequence[Path], error: NgpError | None, settings: Settings) -> None:
    """Print on stderr the names of written reports, or why they could not be written; nothing if there are none."""
    if error is not None:
        terminal.say(settings, f"error: {error}", style="red", always=True)
    elif paths:
        terminal.say(settings, f"wrote {', '.join(path.name for path in paths)}")
