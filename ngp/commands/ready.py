"""`ngp ready`: check that the applied services answer."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import options
from ngp.errors import NgpError

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="wait for each check as long as its module says, or check once")
]


def ready(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    wait: Wait = True,
    as_json: options.AsJson = False,
) -> None:
    """Wait until the services of units answer, by the readiness checks of their modules."""
    from ngp.commands import reading, scope
    from ngp.runs import access, readiness, selection
    from ngp.views import documents, terminal
    from ngp.views import readiness as view

    context = options.context()
    meant = scope.choose(context, environment, units)
    resolved = reading.resolve(context, meant.environment)
    named = selection.expand(meant.units, resolved)
    readiness.require_real(resolved.environment)
    session = access.open_real(resolved.environment, context.settings, stop=context.stop).session
    access.require_account(resolved, session)
    probes = readiness.collect(resolved, session, named)
    with context.taking_signals() as stop:
        asker = readiness.Prober(resolved.platform.path, context.settings.environ, stop, wait)
        answers = asker.probe_all(probes, view.keep if as_json else view.show)
    context.require_not_stopped()
    code = 0 if all(one.is_ready for one in answers) else NgpError.exit_code
    if as_json:
        documents.write(view.document(meant.environment, answers, code))
    elif not answers:
        terminal.say(context.settings, "no module of these units has a readiness check")
    raise typer.Exit(code)
