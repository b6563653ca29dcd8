"""`ngp locks`: the locked states of an environment, and who holds them."""

from __future__ import annotations

import typer

from ngp.commands import options


def locks(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    as_json: options.AsJson = False,
) -> None:
    """Show which states are locked, by whom, whether that holder lives, and how to release them."""
    from ngp.commands import reading, scope
    from ngp.runs import locking, selection
    from ngp.views import documents
    from ngp.views import locks as view

    context = options.context()
    meant = scope.choose(context, environment, units)
    with reading.open_region(context, meant.environment) as region:
        named = selection.expand(meant.units, region.resolved)
        found = locking.collect(region.resolved, region.session, named)
    if as_json:
        documents.write(view.document(meant.environment, found))
        return
    typer.echo("\n".join(view.lines(meant.environment, found)))
