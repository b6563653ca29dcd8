"""`ngp status`: show the status of each unit, from its state."""

from __future__ import annotations

from ngp.commands import options


def status(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show each unit's state: its resources, serial and age."""
    from ngp.commands import reading
    from ngp.runs import outputs
    from ngp.views import documents, graph, orphans, terminal

    context = options.context()
    with reading.open_chosen(context, environment, units) as chosen:
        region, name = chosen.region, chosen.scope.environment
        found = outputs.statuses(region.resolved, region.session, chosen.units)
        left = reading.orphans(context, region, with_gone=not chosen.scope.is_named)
    if as_json:
        documents.write(documents.status(name, found, left))
    else:
        graph.show_status(found, context.settings, environment=name, words=chosen.scope.units, whole=show_all)
        orphans.show(left, terminal.out(context.settings), whole=show_all)
