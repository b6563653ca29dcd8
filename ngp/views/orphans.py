"""Shows orphans: states of no declared unit or environment, and how to destroy or move them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ngp.settings import Settings
from ngp.views import excerpts, findings, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from ngp.runs.orphan_survey import OrphanSurvey
    from ngp.runs.results import Orphan


def show(orphans: Sequence[Orphan], console: Console, *, leaves: bool = False, whole: bool = False) -> None:
    """Print one block for each environment: each state with what it holds, the commit that removed it and the ways out.

    Environments that are gone have a block of their own. `leaves` says that this is what a destroy leaves behind.
    Nothing is printed where there are none.
    """
    for environment in dict.fromkeys(each.environment for each in orphans if each.unit):
        found = [each for each in orphans if each.unit and each.environment == environment]
        number = terminal.amount(len(found), "state")
        belong = "belongs" if len(found) == 1 else "belong"
        them, use = ("it", "it uses") if len(found) == 1 else ("them", "they use")
        stays = f", and this destroy leaves {them} (destroy {them} first if {use} these units)" if leaves else ""
        _show(found, console, f"{number} {belong} to no unit of {environment}{stays}:", "states", whole=whole)
    gone = [each for each in orphans if not each.unit]
    if gone:
        have = "has" if len(gone) == 1 else "have"
        head = f"{terminal.amount(len(gone), 'environment')} {have} left states behind:"
        _show(gone, console, head, "environments", whole=whole)


def show_survey(environment: str, found: OrphanSurvey, settings: Settings, *, whole: bool = False) -> None:
    """Print what was found in an environment, "" for the whole platform; say what could not be looked at."""
    out = terminal.out(settings)
    show(found.orphans, out, whole=whole)
    for finding in found.shared:
        out.print(terminal.line(findings.block(finding, word="found"), style="red"), soft_wrap=True)
    for place, reason in found.unreached.items():
        terminal.say(settings, f"not checked: {place}: {reason}")
    if found.is_empty:
        of = f"of {environment}" if environment else "of the platform"
        terminal.say(settings, f"no orphaned states: every state {of} belongs to a unit")


def describe(orphan: Orphan) -> str:
    """``gone: 3 resources, removed by 1a2b3c4 (2026-11-29, Take it out)  s3://…``."""
    held = orphan.problem or terminal.amount(orphan.resources, "resource")
    held += "" if orphan.unit else f" in {terminal.amount(orphan.states, 'state')}"
    by = f", removed by {orphan.commit} ({orphan.date}, {orphan.subject})" if orphan.commit else ""
    return f"{orphan.unit or orphan.environment}: {held}{by}  {orphan.place}"


def _show(orphans: Sequence[Orphan], console: Console, head: str, things: str, *, whole: bool) -> None:
    console.print(terminal.line(head, style="yellow"), soft_wrap=True)
    digest = excerpts.pick(orphans, whole=whole)
    for orphan in digest.shown:
        console.print(terminal.line(f"  {describe(orphan)}"), soft_wrap=True)
        console.print(terminal.line(f"    to destroy it: {orphan.todo}"), soft_wrap=True)
        if orphan.keep:
            console.print(terminal.line(f"    to keep it: {orphan.keep}"), soft_wrap=True)
        if orphan.move:
            first = f"    to move it to the new unit {orphan.heir} with the same module (in the platform's folder):"
            for line in (first, *(f"      {step}" for step in orphan.move)):
                console.print(terminal.line(line), soft_wrap=True)
    if digest.rest:
        console.print(terminal.line(digest.more(things), style="dim"), soft_wrap=True)
