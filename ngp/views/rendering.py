"""What rendering writes, or would write, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ngp
from ngp.environments import platforms
from ngp.rendering import staleness
from ngp.settings import Settings
from ngp.views import excerpts, terminal

if TYPE_CHECKING:
    from ngp.rendering.trees import RenderedTree


def print_version(tree: RenderedTree, settings: Settings) -> None:
    """Print on stderr how many files change because another ngp rendered last."""
    if tree.other_version:
        changes = terminal.amount(len(tree.staleness.changes), "file")
        text = f"ngp {tree.other_version} rendered this platform; ngp {ngp.__version__} changes {changes}"
        terminal.say(settings, text)


def document(tree: RenderedTree, *, diff: bool, written: bool) -> dict[str, Any]:
    """``ngp.render/1``."""
    found = tree.staleness
    version = (Path(platforms.FILE),) if written and tree.records_version else ()
    shown: dict[str, Any] = {
        "schema": "ngp.render/1",
        "environments": tree.environments,
        "rendered_by": ngp.__version__,
        "written": written,
        "is_stale": found.is_stale,
        "missing": found.missing,
        "differing": (*found.differing, *version),
        "orphaned": found.orphaned,
        "foreign": found.foreign,
    }
    if diff:
        shown["diff"] = "".join(_diff(tree, path) for path in found.changes)
    return shown


def _diff(tree: RenderedTree, path: Path) -> str:
    return staleness.diff(tree.platform.path, path, tree.files.get(path))


def show(tree: RenderedTree, shown: Mapping[str, Any], settings: Settings, *, whole: bool) -> None:
    """Print each file that is stale or was written, and say what to do next."""
    out, written = terminal.out(settings), shown["written"]
    words = ("wrote", "wrote", "removed") if written else ("missing", "differs", "orphaned")
    for word, kind in zip(words, ("missing", "differing", "orphaned"), strict=True):
        digest = excerpts.pick(shown[kind], whole=whole)
        for path in digest.shown:
            out.print(terminal.line(f"{word} {path}"), soft_wrap=True)
        if digest.rest:
            out.print(terminal.line(digest.more("files")), soft_wrap=True)
    if shown.get("diff"):
        out.print(terminal.line(shown["diff"].rstrip("\n")), soft_wrap=True)
    foreign = excerpts.pick(shown["foreign"], whole=whole)
    for path in foreign.shown:
        terminal.say(settings, f"not ours, left alone: {path}")
    if foreign.rest:
        terminal.say(settings, foreign.more("files not ours"))
    names = ", ".join(tree.environments) or "no environment"
    if not (tree.files or tree.staleness.is_stale):
        return  # nothing is affected, which was printed before
    if not tree.staleness.is_stale:
        terminal.say(settings, f"up to date: {names}")
    elif not written:
        terminal.say(settings, f"stale: run `{tree.command}`")
