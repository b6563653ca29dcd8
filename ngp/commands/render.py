"""`ngp render`: write the Terraform roots, or report stale ones."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import narrowing, options
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.rendering import trees
from ngp.views import documents
from ngp.views import rendering as view

Check = Annotated[
    bool, typer.Option("--check", help="write nothing; list stale files, and exit with 1 if there are any")
]
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
        from ngp.review import narrowing as review

        change = review.collect(tree.platform, tree.resolved, since, rendered=tree.files, whole=tree.is_whole)
        tree = trees.narrow(tree, narrowing.print_affected(context, change).covers)
    view.print_version(tree, context.settings)
    shown = view.document(tree, diff=diff, written=not check)
    if not check:
        trees.write(tree)
    if as_json:
        documents.write({**shown, **documents.affected(change)})
    else:
        view.show(tree, shown, context.settings, whole=show_all)
    return NgpError.exit_code if check and tree.staleness.is_stale else 0
