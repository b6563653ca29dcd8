"""`ngp moltar`: command lines of Moltar, for people who are used to them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Annotated, Any

import typer

from ngp.commands import options
from ngp.errors import UsageError

PASSES_THROUGH = True
# Everything behind ENV is Moltar's, also what looks like an option
SETTINGS = {"allow_interspersed_args": False}

Project = Annotated[
    str, typer.Option("--project", "-project", metavar="NAME", help="the project; by default as Moltar finds it")
]
Filtered = Annotated[bool, typer.Option("--with-packages", "-p", help="only hosts whose tag lists the packages")]
Package = Annotated[
    list[str] | None,
    typer.Option("--package", "-package", metavar="PACKAGE", help="the package; by default as Moltar finds it"),
]
Version = Annotated[str, typer.Option("--version", "-version", metavar="VERSION", help="deploy this version")]
Serial = Annotated[bool, typer.Option("--serial", "-s", help="one host at a time")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ENV[/CLUSTER] ls|ssh|hostname|exec|scp|deploy|install [ARG]", help="arguments as for Moltar"
    ),
]


def moltar(
    ctx: typer.Context,
    words: Words = None,
    project: Project = "",
    filtered: Filtered = False,
    package: Package = None,
    pinned: Version = "",
    serial: Serial = False,
) -> None:
    """Run a Moltar command line: print the ngp command for it, then run that."""
    from ngp.hosts import moltar as lines
    from ngp.hosts.project import packages
    from ngp.views import terminal

    context = options.context()
    given = (*(words or ()), *context.terraform_args)
    if len(given) < 2:
        raise UsageError("Moltar needs an environment and a command", todo=lines.USAGE)
    environment, command, *arguments = given
    is_wanted = filtered or command == "deploy"
    named = packages(context.cwd, package or ()) if is_wanted else ()
    line = lines.MoltarLine(environment, tuple(arguments), named, project, pinned, serial, filtered)
    own = lines.translate(command, line)
    terminal.say(context.settings, shlex.join(("ngp", *own)), always=True)
    at = own.index("--") if "--" in own else len(own)
    options.CURRENT.set(replace(context, terraform_args=own[at + 1 :]))
    root: Any = ctx.find_root().command
    result = root.main(args=list(own[:at]), prog_name="ngp", standalone_mode=False)
    raise typer.Exit(result if isinstance(result, int) else 0)
