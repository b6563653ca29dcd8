"""`ngp ci init`: write the pipelines of a CI system, or report stale ones."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms
from ngp.errors import NgpError
from ngp.rendering import pipeline_files
from ngp.rendering.pipelines import PipelineSystem
from ngp.views import documents
from ngp.views import pipelines as view


def init(
    system: Annotated[PipelineSystem, typer.Argument(metavar="SYSTEM", help="github, gitlab or jenkins")],
    branch: Annotated[
        str, typer.Option("--branch", help="branch to apply; by default the remote's default branch, else main")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; list stale files, and exit with 1 if there are any")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    """Write the pipelines for a CI system: plan, apply, nightly plan, promotion."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    found = pipeline_files.collect(platform, system, branch)
    if not check:
        pipeline_files.write(found)
    if as_json:
        documents.write(view.document(found, system, written=not check))
    else:
        view.show(found, system, context.settings, written=not check)
    return NgpError.exit_code if check and found.stale else 0
