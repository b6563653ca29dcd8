"""`ngp pool`: keep providers and ngp itself running between commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp.commands import options
from ngp.environments import platforms, workspaces
from ngp.views import documents, pool

app = typer.Typer(
    help="Keep providers and ngp itself running between commands, so that commands start faster.", no_args_is_help=False
)


@app.command()
def start(
    idle: Annotated[
        int, typer.Option("--idle", min=1, metavar="MINUTES", help="stop what nobody used for this time")
    ] = 30,
    memory: Annotated[
        int, typer.Option("--memory", min=128, metavar="MB", help="stop idle providers while all need more than this")
    ] = 2048,
    as_json: options.AsJson = False,
) -> None:
    """Start the pool; plan, apply and the other commands of this platform use it until `ngp pool stop`."""
    from ngp.pool import lifetime
    from ngp.proxy.limits import Limits

    context = options.context()
    limits = Limits(idle_s=idle * 60.0, memory_bytes=memory << 20)
    running = lifetime.start(_workspace(context), context.settings.environ, limits, context.fork_server)
    pool.show_running(running, "start", as_json=as_json)


@app.command()
def stop(as_json: options.AsJson = False) -> None:
    """Stop the pool, after the runs that use it have ended."""
    from ngp.pool import lifetime

    context = options.context()
    serves = lifetime.stop(_workspace(context))
    if as_json:
        documents.write(pool.stop_document(serves))
    else:
        pool.print_stopped(serves, context.settings)


@app.command()
def status(as_json: options.AsJson = False) -> None:
    """Show what the pool keeps running, for whom, and how much memory it needs."""
    from ngp.pool import lifetime

    context = options.context()
    pool.show_running(lifetime.status(_workspace(context)), "status", as_json=as_json)


def _workspace(context: options.Context) -> Path:
    return workspaces.require_own(platforms.find(context.cwd)).path
