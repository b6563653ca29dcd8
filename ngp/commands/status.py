"""`ngp status`: what stands of each unit."""

from __future__ import annotations

from ngp.commands import options


def status(
    environment: options.EnvironmentName,
    units: options.UnitNames = None,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what each unit's state holds."""
    from ngp.commands import reading
    from ngp.runs import outputs
    from ngp.views import documents, graph

    context = options.context()
    with reading.open_region(context, environment) as region:
        found = outputs.statuses(region.resolved, region.session, tuple(units or ()))
    if as_json:
        documents.write(documents.status(environment, found))
    else:
        graph.show_status(found, context.settings, environment=environment, whole=show_all)
