"""What `ngp configure` changed, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngp.settings import Settings
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.environments.drafts import Draft


def document(home: Path, name: str, draft: Draft, changed: Iterable[Path], *, written: bool) -> dict[str, Any]:
    """``ngp.configure/1``."""
    return {
        "schema": "ngp.configure/1",
        "environment": name,
        "units": draft.units,
        "added": draft.added,
        "removed": draft.removed,
        "pulled_in": draft.pulled,
        "wired": draft.wired,
        "changed": [path.relative_to(home) for path in changed],
        "written": written,
    }


def show(shown: Mapping[str, Any], settings: Settings) -> None:
    """Print on stderr the units, the changed files, and the next command."""

    def say(text: str) -> None:
        terminal.say(settings, text)

    name = shown["environment"]
    for unit, reason in shown["pulled_in"].items():
        say(f"added {unit}: {reason}")
    say(f"{name}: {', '.join(shown['units']) or 'no units'}")
    for word in ("added", "removed"):
        if shown[word]:
            say(f"  {word}: {', '.join(shown[word])}")
    for wire in shown["wired"]:
        say(f"  wired: {wire}")
    if not shown["changed"]:
        say("nothing to change")
        return
    for path in shown["changed"]:
        say(f"{'wrote' if shown['written'] else 'would change'} {path}")
    if shown["written"]:
        say(f"next: ngp render {name}, then ngp plan {name}")
