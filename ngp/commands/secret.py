"""`ngp secret`: find secrets in plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms, secret_scan
from ngp.errors import NgpError
from ngp.views import documents, findings, terminal

app = typer.Typer(help="Find secrets in plain text.")


@app.callback()
def secret() -> None:
    """Find secrets in plain text."""


@app.command()
def scan(
    names: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="only these files and folders; by default all files that Git knows"),
    ] = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> int:
    """Find keys, tokens and random passwords in the platform's files; exit with 1 if there are any."""
    context = options.context()
    home = platforms.find(context.cwd)
    chosen = secret_scan.choose(home, [context.cwd / name for name in names or ()])
    found = secret_scan.scan(home, chosen)
    if as_json:
        documents.write({"schema": "ngp.secret.scan/1", "files": len(chosen), "findings": found})
    else:
        passed = f"no secret found in {terminal.amount(len(chosen), 'file')}"
        findings.show_checks(found, context.settings, passed=passed, whole=show_all)
    return NgpError.exit_code if found else 0
