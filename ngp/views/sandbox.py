"""Shows the sandbox: whether it runs, where, and what was stopped with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from ngp.settings import Settings
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.sandbox.server import RunningSandbox

_EMPTY = "its resources and states existed only while it ran, and are gone"


def show(running: RunningSandbox | None, command: str, settings: Settings, *, as_json: bool) -> None:
    """Write a sandbox, or that none runs, to stdout; as JSON ``ngp.sandbox.COMMAND/1``."""
    if as_json:
        facts = {} if running is None else asdict(running)
        documents.write({"schema": f"ngp.sandbox.{command}/1", "running": running is not None, **facts})
    elif running is None:
        typer.echo("not running")
    else:
        typer.echo(f"{running.url}  {running.engine}, process {running.pid}, since {running.started}")
        terminal.say(settings, 'next: eval "$(ngp sandbox env)", or ngp apply ENV with `target: sandbox`')


def print_stopped(settings: Settings, *, stopped: bool) -> None:
    """Print on stderr whether a sandbox was stopped."""
    terminal.say(settings, f"stopped the sandbox; {_EMPTY}" if stopped else "no sandbox was running")


def print_reset(running: RunningSandbox, settings: Settings) -> None:
    """Print on stderr that the sandbox is empty."""
    terminal.say(settings, f"emptied the sandbox at {running.url}; {_EMPTY}")
