"""Shows the processes of the pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from ngp.settings import Settings
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.daemons.record import DaemonRecord
    from ngp.pool.lifetime import RunningPool

_MB = 1 << 20


def show_running(running: RunningPool | None, command: str, *, as_json: bool) -> None:
    """Write a pool, or that none runs, to stdout; as JSON ``ngp.pool.start/1`` or ``ngp.pool.status/1``."""
    if as_json:
        facts = (
            {} if running is None else {**asdict(running.record), **running.state, "is_ours": running.record.is_ours}
        )
        documents.write({"schema": f"ngp.pool.{command}/1", "running": running is not None, **facts})
    elif running is None:
        typer.echo("not running")
    else:
        show(running.record, running.state)


def stop_document(serves: int | None) -> dict[str, Any]:
    """``ngp.pool.stop/1``; `serves` is the number of runs that the pool still serves, None if none was running."""
    return {"schema": "ngp.pool.stop/1", "stopped": serves is not None, "serves": serves or 0}


def print_stopped(serves: int | None, settings: Settings) -> None:
    """Print on stderr whether a pool was stopped, and what it still serves."""
    if serves is None:
        terminal.say(settings, "no pool was running")
    else:
        later = f"; it stops after the {terminal.amount(serves, 'run')} that use it" if serves else ""
        terminal.say(settings, f"stopped the pool{later}")


def show(record: DaemonRecord, state: Mapping[str, Any]) -> None:
    """Write a running pool to stdout, a line for each provider process."""
    for text in _lines(record, state):
        typer.echo(text)


def _lines(record: DaemonRecord, state: Mapping[str, Any]) -> Iterator[str]:
    idle = terminal.amount(round(state["idle_s"] / 60), "minute")
    limits = f"stops providers after {idle} without use; memory limit {state['memory_bytes'] // _MB} MB"
    yield f"process {record.pid}, since {record.started}; {limits}"
    if not record.is_ours:
        yield "it runs another version of ngp, so ngp does not use it: ngp pool stop, then ngp pool start"
    for proxy in state["proxies"]:
        names = ", ".join(proxy["environments"])
        for one in proxy["providers"]:
            use = "in use" if one["in_use"] else "idle"
            yield f"{names}: {one['address']}, process {one['pid']}, {one['memory'] // _MB} MB, {use}"
