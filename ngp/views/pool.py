"""Show what the pool keeps running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.daemons.record import DaemonRecord

_MB = 1 << 20


def show(record: DaemonRecord, state: Mapping[str, Any]) -> None:
    """Write a running pool to stdout, a line for each provider process."""
    for text in _lines(record, state):
        typer.echo(text)


def _lines(record: DaemonRecord, state: Mapping[str, Any]) -> Iterator[str]:
    idle = terminal.amount(round(state["idle_s"] / 60), "minute")
    limits = f"ends what idles {idle}, keeps to {state['memory_bytes'] // _MB} MB"
    yield f"process {record.pid}, since {record.started}; {limits}"
    if not record.is_ours:
        yield "it runs another ngp than this one, so it is not used: ngp pool stop, then start"
    for proxy in state["proxies"]:
        names = ", ".join(proxy["environments"])
        for one in proxy["providers"]:
            use = "in use" if one["in_use"] else "idle"
            yield f"{names}: {one['address']}, process {one['pid']}, {one['memory'] // _MB} MB, {use}"
    aws = state["aws"]
    sessions = terminal.amount(aws["sessions"], "session")
    yield f"AWS: {sessions}, {terminal.amount(aws['objects'], 'object')} held, {aws['unchanged']} answered unchanged"
