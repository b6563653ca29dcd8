"""`ngp sandbox`: the AWS emulator of this platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms, sandboxes, workspaces
from ngp.views import documents
from ngp.views import sandbox as view

app = typer.Typer(help="Start, stop and inspect the AWS emulator on this machine.", no_args_is_help=False)


@app.command()
def start(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="port; 0 chooses a free one")] = 0,
    as_json: options.AsJson = False,
) -> None:
    """Start the sandbox; it runs until `ngp sandbox stop`."""
    from ngp.sandbox import server

    context = options.context()
    running = server.start(_workspace(context), context.settings.environ, port=port)
    view.show(running, "start", context.settings, as_json=as_json)


@app.command()
def stop(as_json: options.AsJson = False) -> None:
    """Stop the sandbox; its resources and states are gone."""
    from ngp.sandbox import server

    context = options.context()
    stopped = server.stop(_workspace(context))
    if as_json:
        documents.write({"schema": "ngp.sandbox.stop/1", "stopped": stopped})
    else:
        view.print_stopped(context.settings, stopped=stopped)


@app.command()
def status(as_json: options.AsJson = False) -> None:
    """Show whether the sandbox is running, and its URL."""
    from ngp.sandbox import server

    context = options.context()
    view.show(server.status(_workspace(context)), "status", context.settings, as_json=as_json)


@app.command()
def reset(as_json: options.AsJson = False) -> None:
    """Delete everything in the running sandbox."""
    from ngp.sandbox import server

    context = options.context()
    running = server.reset(_workspace(context))
    if as_json:
        view.show(running, "reset", context.settings, as_json=True)
    else:
        view.print_reset(running, context.settings)


@app.command()
def env(environment: options.OptionalEnvironmentName = "", as_json: options.AsJson = False) -> None:
    """Print shell commands: eval "$(ngp sandbox env)" lets plain Terraform and boto3 use the sandbox."""
    from ngp.sandbox import server, shell

    context = options.context()
    path = platforms.find(context.cwd)
    chosen = sandboxes.choose(platforms.load(path), environment)
    running = server.require_running(workspaces.require_own(path).path)
    lines = shell.lines(context.settings.environ, running, chosen.region, chosen.account)
    if as_json:
        documents.write({"schema": "ngp.sandbox.env/1", "export": lines.exports, "unset": lines.unset})
    else:
        typer.echo(str(lines))


def _workspace(context: options.Context) -> Path:
    return workspaces.require_own(platforms.find(context.cwd)).path
