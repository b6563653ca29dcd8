"""`ngp pool`: keep providers and the way to AWS warm between commands."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms, workspaces
from ngp.views import documents, pool, terminal

if TYPE_CHECKING:
    from ngp.pool.lifetime import RunningPool

app = typer.Typer(help="Keep providers and the way to AWS warm between commands.", no_args_is_help=False)


@app.command()
def start(
    idle: Annotated[
        int, typer.Option("--idle", min=1, metavar="MINUTES", help="end what nobody used for so long")
    ] = 30,
    memory: Annotated[
        int, typer.Option("--memory", min=128, metavar="MB", help="end idle providers while all need more than this")
    ] = 2048,
    as_json: options.AsJson = False,
) -> None:
    """Start the pool; plan, apply and the other commands of this platform use it until `ngp pool stop`."""
    from ngp.pool import lifetime
    from ngp.proxy.limits import Limits

    context = options.context()
    limits = Limits(idle_s=idle * 60.0, memory_bytes=memory << 20)
    running = lifetime.start(_workspace(context), context.settings.environ, limits, context.fork_server)
    _show(running, "start", as_json=as_json)


@app.command()
def stop(as_json: options.AsJson = False) -> None:
    """Stop the pool; runs that it serves are let end first."""
    from ngp.pool import lifetime

    context = options.context()
    serves = lifetime.stop(_workspace(context))
    if as_json:
        documents.write({"schema": "ngp.pool.stop/1", "stopped": serves is not None, "serves": serves or 0})
    elif serves is None:
        terminal.say(context.settings, "no pool was running")
    else:
        later = f"; it ends with the {terminal.amount(serves, 'run')} that it serves" if serves else ""
        terminal.say(context.settings, f"stopped the pool{later}")


@app.command()
def status(as_json: options.AsJson = False) -> None:
    """Say what the pool keeps running, for whom, and how much memory that takes."""
    from ngp.pool import lifetime

    context = options.context()
    _show(lifetime.status(_workspace(context)), "status", as_json=as_json)


def _workspace(context: options.Context) -> Path:
    return workspaces.require_own(platforms.find(context.cwd)).path


def _show(running: RunningPool | None, command: str, *, as_json: bool) -> None:
    if as_json:
        facts = (
            {} if running is None else {**asdict(running.record), **running.state, "is_ours": running.record.is_ours}
        )
        documents.write({"schema": f"ngp.pool.{command}/1", "running": running is not None, **facts})
    elif running is None:
        typer.echo("not running")
    else:
        pool.show(running.record, running.state)
