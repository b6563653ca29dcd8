"""`ngp help`: the help of a command, as `--help` shows it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ngp.errors import UsageError

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="COMMAND", help="the command, such as `plan` or `module new`; none: all commands"),
]


def help(ctx: typer.Context, words: Words = None) -> None:  # noqa: A001  the command's name
    """Show the help of a command."""
    shown: Any = ctx.find_root()
    for word in words or ():
        group = shown.command
        found = group.get_command(shown, word) if hasattr(group, "get_command") else None
        if found is None and hasattr(group, "list_commands"):
            shown.fail(f"No such command '{word}'.")  # answered as the command line `ngp WORD` is
        if found is None:
            path = shown.command_path
            raise UsageError(f"`{path}` has no command `{word}`", todo=f"see `{path} --help`")
        shown = type(ctx)(found, info_name=word, parent=shown)
    typer.echo(shown.get_help())
