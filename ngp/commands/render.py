"""`ngp render`: write the Terraform roots, or say what of them is stale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import ngp
from ngp import files
from ngp.commands import narrowing, options
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.rendering import staleness, trees
from ngp.views import digests, documents, terminal

Check = Annotated[bool, typer.Option("--check", help="write nothing; exit 1 and list what is stale")]
Diff = Annotated[bool, typer.Option("--diff", help="show how the files change")]


def render(
    ctx: typer.Context,
    environments: options.EnvironmentNames = None,
    check: Check = False,
    diff: Diff = False,
    affected: options.Affected = False,
    since: options.Since = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> int:
    """Write the Terraform roots of the environments."""
    context = options.context()
    tree = trees.collect(platforms.load(platforms.find(context.cwd)), environments or ())
    change = None
    if narrowing.is_asked(ctx, affected):
        change = narrowing.collect(tree.platform, tree.resolved, since, rendered=tree.files, whole=tree.is_whole)
        tree = trees.narrow(tree, narrowing.tell(context, change).covers)
    if tree.other_version:
        changes = terminal.amount(len(tree.staleness.changes), "file")
        said = f"ngp {tree.other_version} rendered this platform; ngp {ngp.__version__} changes {changes}"
        terminal.say(context.settings, said)
    shown = _document(tree, diff=diff, written=not check)
    if not check:
        _write(tree)
    if as_json:
        documents.write({**shown, **documents.affected(change)})
    else:
        _show(tree, shown, context, whole=show_all)
    return NgpError.exit_code if check and tree.staleness.is_stale else 0


def _write(tree: trees.Tree) -> None:
    """Write everything or nothing, then take away what is left over."""
    platform, orphaned = tree.platform, tree.staleness.orphaned
    with ExitStack() as held:
        with _told("the rendered files cannot be written", platform.path, "nothing was changed"):
            for name in tree.environments:
                lock = platform.workspace.lock(name)
                held.enter_context(files.lock(lock, purpose=f"ngp render {name}"))
            files.write_all(trees.writes(tree))
        with _told("left-over files cannot be removed", platform.path, "all that is rendered was written"):
            gone = [*orphaned, *staleness.emptied(platform.path, orphaned)]
            files.remove_all(platform.path / path for path in gone)


@contextmanager
def _told(what: str, where: Path, outcome: str) -> Iterator[None]:
    """Tell a failure of the disk (full, read-only) with what has become of the tree."""
    try:
        yield
    except OSError as error:
        why = f"{error.strerror}; {outcome}"
        raise NgpError(what, where=error.filename or str(where), why=why, todo="fix it, then render again") from None


def _document(tree: trees.Tree, *, diff: bool, written: bool) -> dict[str, Any]:
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


def _diff(tree: trees.Tree, path: Path) -> str:
    return staleness.diff(tree.platform.path, path, tree.files.get(path))


def _show(tree: trees.Tree, shown: dict[str, Any], context: options.Context, *, whole: bool) -> None:
    out, written = terminal.out(context.settings), shown["written"]
    words = ("wrote", "wrote", "removed") if written else ("missing", "differs", "orphaned")
    for word, kind in zip(words, ("missing", "differing", "orphaned"), strict=True):
        digest = digests.pick(shown[kind], whole=whole)
        for path in digest.shown:
            out.print(terminal.line(f"{word} {path}"), soft_wrap=True)
        if digest.rest:
            out.print(terminal.line(digest.more("files")), soft_wrap=True)
    if shown.get("diff"):
        out.print(terminal.line(shown["diff"].rstrip("\n")), soft_wrap=True)
    foreign = digests.pick(shown["foreign"], whole=whole)
    for path in foreign.shown:
        terminal.say(context.settings, f"not ours, left alone: {path}")
    if foreign.rest:
        terminal.say(context.settings, foreign.more("files not ours"))
    names = ", ".join(tree.environments) or "no environment"
    if not (tree.files or tree.staleness.is_stale):
        return  # nothing is affected, which was said
    if not tree.staleness.is_stale:
        terminal.say(context.settings, f"up to date: {names}")
    elif not written:
        terminal.say(context.settings, f"stale: run `{tree.command}`")
