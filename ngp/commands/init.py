"""`ngp init`: a new platform from the shipped catalogue."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ngp import files
from ngp.commands import options
from ngp.errors import NgpError
from ngp.rendering import skeleton
from ngp.views import documents, terminal


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to make it in", file_okay=False)],
    project: Annotated[
        str, typer.Option("--project", metavar="NAME", help="the platform's name; by default the folder's")
    ] = "",
    as_json: options.AsJson = False,
) -> None:
    """Make a new platform in a folder."""
    context = options.context()
    target = (context.cwd / folder).resolve()
    chosen = project or skeleton.default_name(target)
    planned = skeleton.render(target, chosen)
    try:
        written = files.write_all(planned)
    except OSError as error:
        raise NgpError(
            "the platform cannot be written",
            where=error.filename or str(target),
            why=f"{error.strerror}; none was made",
        ) from None
    if as_json:
        paths = [path.relative_to(target) for path in written]
        documents.write({"schema": "ngp.init/1", "name": chosen, "path": target, "written": paths})
        return
    terminal.say(context.settings, f"made the platform `{chosen}` in {target}: {terminal.amount(len(written), 'file')}")
    here, more = ("", " && ngp ci init github") if skeleton.is_nested(target) else (" && git init", "")
    terminal.say(context.settings, f"next: cd {shlex.quote(str(target))}{here} && ngp env new dev{more}")
    terminal.say(context.settings, "      README.md there goes on from here, in the sandbox or with an account")
