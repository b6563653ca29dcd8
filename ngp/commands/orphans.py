"""`ngp orphans`: states that belong to no declared unit."""

from __future__ import annotations

from ngp.commands import options


def orphans(
    environment: options.EnvironmentName = "",
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
) -> None:
    """List states of units that were removed: what they hold, and how to destroy it."""
    from ngp.commands import reading, scope
    from ngp.runs import orphans as states
    from ngp.views import documents, terminal
    from ngp.views import orphans as view

    context = options.context()
    name = scope.only(scope.choose(context, environment))
    with reading.open_region(context, name) as region:
        found = states.collect(region.resolved, region.session)
    if as_json:
        documents.write(documents.orphans(name, found))
        return
    view.show(found, terminal.out(context.settings), environment=name, whole=show_all)
    if not found:
        terminal.say(context.settings, f"every state of {name} belongs to a unit")
