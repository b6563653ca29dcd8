"""Shows the pipeline files of a repository: written or stale ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.rendering.pipeline_files import PipelineFiles
    from ngp.rendering.pipelines import PipelineSystem


def show(found: PipelineFiles, system: PipelineSystem, settings: Settings, *, written: bool) -> None:
    """A line on stdout for each file that was stale; on stderr whether anything is left to do."""
    for path in found.stale:
        terminal.out(settings).print(terminal.line(f"{'wrote' if written else 'stale'} {path}"))
    if not found.stale:
        terminal.say(settings, f"up to date: {', '.join(map(str, found.texts))}")
    elif not written:
        terminal.say(settings, f"stale: run `ngp ci init {system.value}`")


def document(found: PipelineFiles, system: PipelineSystem, *, written: bool) -> dict[str, Any]:
    """``ngp.ci.init/1``."""
    facts = {"system": system, "files": list(found.texts), "stale": found.stale, "written": written}
    return {"schema": "ngp.ci.init/1", **facts}
