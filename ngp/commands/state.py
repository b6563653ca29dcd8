"""`ngp state`: the bucket of Terraform's states, and their content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import completion, options, scope
from ngp.errors import NgpError, UsageError, nearest
from ngp.views import documents, terminal
from ngp.views import states as view

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.runs.access import Access

app = typer.Typer(help="Create the state bucket, and show the states in it.")


@app.command()
def bootstrap(
    environment: options.EnvironmentName = "",
    auto_approve: options.AutoApprove = False,
    as_json: options.AsJson = False,
) -> None:
    """Create the state bucket of an environment's account and region: versioned, encrypted, private, TLS only."""
    from ngp.runs import units
    from ngp.state import bucket

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    resolved, access = _open(context, environment, may_start=True)
    plan = bucket.plan(access.session, units.bucket_place(resolved))
    terminal.say(context.settings, str(plan), always=True)
    if not plan.is_empty:
        if not (auto_approve or options.confirm(context, "Change the bucket?")):
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
    """List the states of an environment: place, serial, number of resources, and holder of the lock."""
    from ngp.runs import states

    context = options.context()
    environment = scope.only(scope.choose(context, environment))
    resolved, access = _open(context, environment)
    facts = states.collect(resolved, access.session)
    if as_json:
        documents.write(view.list_document(environment, facts.values()))
    else:
        view.show_list(facts.values())


@app.command()
def show(
    environment: options.EnvironmentName = "",
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="the unit", autocompletion=completion.units)] = "",
    as_json: options.AsJson = False,
) -> None:
    """Show the resources in a unit's state."""
    from ngp.runs import states

    context = options.context()
    meant = scope.choose(context, environment, [unit] if unit else [])
    environment, unit = meant.environment, scope.one_unit(meant, f"ngp state show {meant.environment} UNIT")
    resolved, access = _open(context, environment)
    facts = states.collect(resolved, access.session)
    if unit not in facts:
        raise UsageError(f"`{environment}` has no state for `{unit}`", todo=nearest(unit, facts))
    if as_json:
        documents.write(view.document(environment, facts[unit]))
    else:
        view.show(facts[unit], context.settings)


def _open(context: options.Context, environment: str, *, may_start: bool = False) -> tuple[Resolved, Access]:
    from ngp.environments import platforms, resolving
    from ngp.runs import access

    resolved = resolving.resolve(platforms.load(platforms.find(context.cwd)), environment)
    note = partial(terminal.say, context.settings)
    return resolved, access.open_states(resolved, context.settings, note, may_start=may_start, stop=context.stop)
