"""Show states that belong to no declared unit, and how to destroy what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngp.views import digests, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from ngp.runs.results import Orphan


def show(
    orphans: Sequence[Orphan], console: Console, *, environment: str, leaves: bool = False, whole: bool = False
) -> None:
    """Print one block: each state with what it holds, the commit that removed its unit, and the way to destroy it.

    `leaves` says that this is what a destroy leaves behind. Nothing is printed where there are none.
    """
    if not orphans:
        return
    number = terminal.amount(len(orphans), "state")
    belong = "belongs" if len(orphans) == 1 else "belong"
    them = "it" if len(orphans) == 1 else "them"
    stays = f", and this destroy leaves {them} (destroy {them} first if what goes is needed there)" if leaves else ""
    head = f"{number} {belong} to no unit of {environment}{stays}:"
    console.print(terminal.line(head, style="yellow"), soft_wrap=True)
    digest = digests.pick(orphans, whole=whole)
    for orphan in digest.shown:
        console.print(terminal.line(f"  {describe(orphan)}"), soft_wrap=True)
        console.print(terminal.line(f"    to destroy it: {orphan.todo}"), soft_wrap=True)
    if digest.rest:
        console.print(terminal.line(digest.more("states"), style="dim"), soft_wrap=True)


def describe(orphan: Orphan) -> str:
    """``gone: 3 resources, removed by 1a2b3c4 (2026-11-29, Take it out)  s3://…``."""
    held = orphan.problem or terminal.amount(orphan.resources, "resource")
    by = f", removed by {orphan.commit} ({orphan.date}, {orphan.subject})" if orphan.commit else ""
    return f"{orphan.unit}: {held}{by}  {orphan.place}"
