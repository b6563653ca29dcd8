"""`ngp status`: what stands of each unit."""

from __future__ import annotations

from ngp.commands import options


def status(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what each unit's state holds."""
    from ngp.commands import reading, scope
    from ngp.runs import outputs, selection
    from ngp.views import documents, graph, orphans, terminal

    context = options.context()
    meant = scope.choose(context, environment, units)
    with reading.open_region(context, meant.environment) as region:
        named = selection.expand(meant.units, region.resolved)
        found = outputs.statuses(region.resolved, region.session, named)
        left = reading.orphans(context, region, with_gone=not meant.is_named)
    if as_json:
        documents.write(documents.status(meant.environment, found, left))
    else:
        graph.show_status(found, context.settings, environment=meant.environment, words=meant.units, whole=show_all)
        orphans.show(left, terminal.out(context.settings), whole=show_all)
