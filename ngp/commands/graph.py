"""`ngp graph`: units, waves and wires."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import completion, options

Form = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="text|dot|mermaid|json",
        help="output format",
        autocompletion=completion.one_of("text", "dot", "mermaid", "json"),
    ),
]


def graph(
    ctx: typer.Context,
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    form: Form = "text",
    affected: options.Affected = False,
    since: options.Since = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show which units use outputs of which, wave by wave."""
    from ngp.commands import narrowing, reading, scope
    from ngp.runs import outputs, selection
    from ngp.views import documents, orphans, terminal
    from ngp.views import graph as view

    context = options.context()
    meant = scope.choose(context, environment, units)
    resolved = reading.resolve(context, meant.environment)
    named = selection.expand(meant.units, resolved)
    change = narrowing.narrow(context, resolved, since, named) if narrowing.is_asked(ctx, affected) else None
    chosen = named if change is None else change.names(meant.environment)
    facts, wires = outputs.wiring(resolved, chosen) if chosen or change is None else ([], [])
    left = reading.orphans_at_hand(context, resolved)
    if as_json or form == "json":
        documents.write({**documents.graph(meant.environment, facts, wires, left), **documents.affected(change)})
        return
    options.require_format(form, [one.value for one in view.GraphFormat])
    view.show(facts, wires, environment=meant.environment, form=view.GraphFormat(form), whole=show_all)
    if left:  # Rich is slow to come
        orphans.show(left, terminal.err(context.settings), whole=show_all)
