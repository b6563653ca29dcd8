"""Shows states: their locations, contents and locks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from ngp.settings import Settings
from ngp.views import findings, terminal

if TYPE_CHECKING:
    from ngp.runs.states import UnitState
    from ngp.state.reading import Holder


def show_list(states: Iterable[UnitState]) -> None:
    """A line for each state on stdout."""
    for one in states:
        typer.echo(_line(one))


def show(one: UnitState, settings: Settings) -> None:
    """The addresses of a state's resources on stdout; the state itself, and what is wrong with it, on stderr."""
    terminal.say(settings, _line(one))
    for finding in one.findings:
        terminal.say(settings, findings.block(finding), style="red")
    for resource in one.state.resources if one.state else ():
        typer.echo(resource.address)


def list_document(environment: str, states: Iterable[UnitState]) -> dict[str, Any]:
    """``ngp.state.list/1``."""
    return {"schema": "ngp.state.list/1", "environment": environment, "states": [_fields(one) for one in states]}


def document(environment: str, one: UnitState) -> dict[str, Any]:
    """``ngp.state.show/1``."""
    return {"schema": "ngp.state.show/1", "environment": environment, **_fields(one)}


def _fields(one: UnitState) -> dict[str, Any]:
    state = one.state
    return {
        "unit": one.unit,
        "declared": one.is_declared,
        "place": str(one.place),
        "exists": state is not None or bool(one.problem),
        "lineage": state.lineage if state else None,
        "serial": state.serial if state else None,
        "resources": [resource.address for resource in state.resources] if state else [],
        "locked_by": _holder(one.holder),
        "problem": one.problem,
        "findings": one.findings,
    }


def _holder(holder: Holder | None) -> dict[str, str] | None:
    if holder is None:
        return None
    return {"id": holder.id, "who": holder.who, "since": holder.created, "place": holder.place}


def _line(one: UnitState) -> str:
    held = f"unreadable, {one.problem}" if one.problem else "no state yet"
    if one.state is not None:
        managed = sum(resource.mode == "managed" for resource in one.state.resources)
        held = f"serial {one.state.serial}, {terminal.amount(managed, 'resource')}"
        held += f", misplaced: {one.findings[0].what}" if one.findings else ""
    locked = f", locked by {one.holder}" if one.holder else ""
    of = "" if one.is_declared else " (without a unit: ngp orphans)"
    return f"{one.unit}{of}: {held}{locked}  {one.place}"
