"""`ngp state`: the bucket of Terraform's state, and what lies in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import completion, options, scope
from ngp.errors import NgpError, UsageError, nearest
from ngp.views import documents, findings, terminal

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.runs.access import Access
    from ngp.runs.states import UnitState
    from ngp.state.reading import Holder

app = typer.Typer(help="Make and look at the place where state lies.")


@app.command()
def bootstrap(
    environment: options.EnvironmentName = "",
    auto_approve: options.AutoApprove = False,
    as_json: options.AsJson = False,
) -> None:
    """Make the state bucket of an environment's account and region: versioned, encrypted, private, TLS only."""
    from ngp.state import bucket

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    resolved, access = _open(context, environment, may_start=True)
    plan = bucket.plan(access.session, _bucket_place(resolved))
    terminal.say(context.settings, str(plan), always=True)
    if not plan.is_empty:
        if not (auto_approve or options.confirm(context, "Make it so?")):
            raise NgpError("the bucket was not changed", why="you answered no")
        bucket.bootstrap(access.session, plan)
    if as_json:
        documents.write(
            {"schema": "ngp.state.bootstrap/1", "bucket": plan.bucket, "created": not plan.exists, "set": plan.lacks}
        )
    else:
        typer.echo(f"s3://{plan.bucket}")


@app.command("list")
def list_states(environment: options.EnvironmentName = "", as_json: options.AsJson = False) -> None:
    """List the states of an environment: where each lies, its serial, what it holds, who has locked it."""
    from ngp.runs import states

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    resolved, access = _open(context, environment)
    facts = states.collect(resolved, access.session)
    if as_json:
        documents.write(
            {"schema": "ngp.state.list/1", "environment": environment, "states": [_fact(one) for one in facts.values()]}
        )
        return
    for fact in facts.values():
        typer.echo(_line(fact))


@app.command()
def show(
    environment: options.EnvironmentName = "",
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="the unit", autocompletion=completion.units)] = "",
    as_json: options.AsJson = False,
) -> None:
    """Show the resources that a unit's state holds."""
    from ngp.runs import states

    context = options.context()
    environment, unit = _pair(scope.choose(context, environment, [unit] if unit else []))
    resolved, access = _open(context, environment)
    facts = states.collect(resolved, access.session)
    if unit not in facts:
        raise UsageError(f"`{environment}` has no state for `{unit}`", todo=nearest(unit, facts))
    if as_json:
        documents.write({"schema": "ngp.state.show/1", "environment": environment, **_fact(facts[unit])})
        return
    terminal.say(context.settings, _line(facts[unit]))
    for finding in facts[unit].findings:
        terminal.say(context.settings, findings.block(finding), style="red")
    state = facts[unit].state
    for resource in state.resources if state else ():
        typer.echo(resource.address)


def _pair(meant: scope.Scope) -> tuple[str, str]:
    """The environment and the one unit of a command that takes both."""
    if len(meant.units) != 1:
        raise UsageError("name one unit", todo=f"ngp state show {meant.environment} UNIT")
    return meant.environment, meant.units[0]


def _open(context: options.Context, environment: str, *, may_start: bool = False) -> tuple[Resolved, Access]:
    from ngp.environments import platforms, resolving
    from ngp.runs import access

    resolved = resolving.resolve(platforms.load(platforms.find(context.cwd)), environment)
    note = partial(terminal.say, context.settings)
    return resolved, access.open_states(resolved, context.settings, note, may_start=may_start, stop=context.stop)


def _bucket_place(resolved: Resolved) -> Any:
    from ngp.environments.environment import StateKind
    from ngp.runs import units

    if resolved.platform.state is StateKind.LOCAL:
        raise UsageError("this platform keeps its state in files", why="ngp.yaml sets `state: local`")
    return units.place(resolved, units.SINGLE)


def _fact(fact: UnitState) -> dict[str, Any]:
    state = fact.state
    return {
        "unit": fact.unit,
        "declared": fact.is_declared,
        "place": str(fact.place),
        "exists": state is not None or bool(fact.problem),
        "lineage": state.lineage if state else None,
        "serial": state.serial if state else None,
        "resources": [resource.address for resource in state.resources] if state else [],
        "locked_by": _holder(fact.holder),
        "problem": fact.problem,
        "findings": fact.findings,
    }


def _holder(holder: Holder | None) -> dict[str, str] | None:
    if holder is None:
        return None
    return {"id": holder.id, "who": holder.who, "since": holder.created, "place": holder.place}


def _line(fact: UnitState) -> str:
    held = f"unreadable, {fact.problem}" if fact.problem else "nothing yet"
    if fact.state is not None:
        managed = sum(resource.mode == "managed" for resource in fact.state.resources)
        held = f"serial {fact.state.serial}, {terminal.amount(managed, 'resource')}"
        held += f", misplaced: {fact.findings[0].what}" if fact.findings else ""
    locked = f", locked by {fact.holder}" if fact.holder else ""
    of = "" if fact.is_declared else " (of no unit: ngp orphans)"
    return f"{fact.unit}{of}: {held}{locked}  {fact.place}"
