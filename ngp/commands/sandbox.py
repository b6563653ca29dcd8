"""`ngp sandbox`: the AWS emulator of this platform."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms, workspaces
from ngp.errors import MissingError, UsageError
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.environments.environment import Environment
    from ngp.sandbox.server import RunningSandbox

app = typer.Typer(help="Start, stop and look at the AWS emulator on this machine.", no_args_is_help=False)

_EMPTY = "its resources and states were held in its memory and are gone"


@app.command()
def start(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one")] = 0,
    as_json: options.AsJson = False,
) -> None:
    """Start the sandbox; it lives until `ngp sandbox stop`."""
    from ngp.sandbox import server

    context = options.context()
    running = server.start(_workspace(context), context.settings.environ, port=port)
    _show(context, running, "start", as_json=as_json)


@app.command()
def stop(as_json: options.AsJson = False) -> None:
    """Stop the sandbox; all that it holds is gone."""
    from ngp.sandbox import server

    context = options.context()
    stopped = server.stop(_workspace(context))
    if as_json:
        documents.write({"schema": "ngp.sandbox.stop/1", "stopped": stopped})
    else:
        terminal.say(context.settings, f"stopped the sandbox; {_EMPTY}" if stopped else "no sandbox was running")


@app.command()
def status(as_json: options.AsJson = False) -> None:
    """Say whether the sandbox runs, and where."""
    from ngp.sandbox import server

    context = options.context()
    _show(context, server.status(_workspace(context)), "status", as_json=as_json)


@app.command()
def reset(as_json: options.AsJson = False) -> None:
    """Empty the running sandbox."""
    from ngp.sandbox import server

    context = options.context()
    running = server.reset(_workspace(context))
    if as_json:
        _show(context, running, "reset", as_json=True)
    else:
        terminal.say(context.settings, f"emptied the sandbox at {running.url}; {_EMPTY}")


@app.command()
def env(environment: options.OptionalEnvironmentName = "", as_json: options.AsJson = False) -> None:
    """Print shell lines: eval "$(ngp sandbox env)" lets plain Terraform and boto3 reach the sandbox."""
    from ngp.sandbox import server, shell

    context = options.context()
    path = platforms.find(context.cwd)
    chosen = _chosen(path, environment)
    running = server.status(workspaces.require_own(path).path)
    if running is None:
        raise MissingError("no sandbox is running", todo="ngp sandbox start")
    lines = shell.lines(context.settings.environ, running, chosen.region, chosen.account)
    if as_json:
        documents.write({"schema": "ngp.sandbox.env/1", "export": lines.exports, "unset": lines.unset})
    else:
        typer.echo(str(lines))


def _workspace(context: options.Context) -> Path:
    return workspaces.require_own(platforms.find(context.cwd)).path


def _show(context: options.Context, running: RunningSandbox | None, command: str, *, as_json: bool) -> None:
    if as_json:
        facts = {} if running is None else asdict(running)
        documents.write({"schema": f"ngp.sandbox.{command}/1", "running": running is not None, **facts})
    elif running is None:
        typer.echo("not running")
    else:
        typer.echo(f"{running.url}  {running.engine}, process {running.pid}, since {running.started}")
        terminal.say(context.settings, 'next: eval "$(ngp sandbox env)", or ngp apply ENV with `target: sandbox`')


def _chosen(path: Path, name: str) -> Environment:
    """The environment whose region and account are meant: the named one, or the one that all sandbox ones agree on."""
    from ngp.environments import documents as files
    from ngp.environments.environment import Target

    platform = platforms.load(path)
    if name:
        return files.load(platform, name)
    found = [files.load(platform, each) for each in files.names(platform)]
    local = [each for each in found if each.target is Target.SANDBOX]
    if not local:
        raise UsageError("no environment has `target: sandbox`", todo="name one: ngp sandbox env ENV")
    if len({(each.region, each.account) for each in local}) > 1:
        raise UsageError(
            f"{', '.join(each.name for each in local)} differ in account or region", todo="ngp sandbox env ENV"
        )
    return local[0]
