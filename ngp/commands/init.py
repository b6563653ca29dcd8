"""`ngp init`: a new platform from the shipped catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp.commands import options
from ngp.rendering import skeleton
from ngp.views import documents
from ngp.views import platforms as view


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to make it in", file_okay=False)],
    project: Annotated[
        str, typer.Option("--project", metavar="NAME", help="the platform's name; by default the folder's")
    ] = "",
    as_json: options.AsJson = False,
) -> None:
    """Create a platform in a folder."""
    context = options.context()
    target = (context.cwd / folder).resolve()
    chosen = project or skeleton.default_name(target)
    written = skeleton.create(target, chosen)
    if as_json:
        documents.write(view.document(target, chosen, written))
    else:
        view.print_result(target, chosen, written, context.settings, is_nested=skeleton.is_nested(target))
