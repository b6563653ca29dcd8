"""`ngp locks`: the locked states of an environment, and who holds them."""

from __future__ import annotations

import typer

from ngp.commands import options


def locks(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    as_json: options.AsJson = False,
) -> None:
    """Show which states are locked, by whom, whether the holder still runs, and how to release them."""
    from ngp.commands import reading
    from ngp.runs import locking
    from ngp.views import documents
    from ngp.views import locks as view

    context = options.context()
    with reading.open_chosen(context, environment, units) as chosen:
        found = locking.collect(chosen.region.resolved, chosen.region.session, chosen.units)
    name = chosen.scope.environment
    if as_json:
        documents.write(view.document(name, found))
        return
    typer.echo("\n".join(view.lines(name, found)))
