"""`ngp ready`: whether what was applied has come up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import options
from ngp.errors import NgpError

if TYPE_CHECKING:
    from ngp.runs.readiness import Answer

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="wait for each as long as its module says, or ask once")]


def ready(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    wait: Wait = True,
    as_json: options.AsJson = False,
) -> None:
    """Wait until what units serve answers, by the readiness checks of their modules."""
    from ngp.commands import reading, scope
    from ngp.runs import access, readiness, selection
    from ngp.views import documents, terminal

    context = options.context()
    meant = scope.choose(context, environment, units)
    resolved = reading.resolve(context, meant.environment)
    named = selection.expand(meant.units, resolved)
    readiness.require_real(resolved.environment)
    session = access.open_real(resolved.environment, context.settings, stop=context.stop).session
    access.require_account(resolved, session)
    probes = readiness.collect(resolved, session, named)
    with context.taking_signals() as stop:
        asker = readiness.Asker(resolved.platform.path, context.settings.environ, stop, wait)
        answers = asker.ask_all(probes, _keep if as_json else _show)
    context.require_not_stopped()
    code = 0 if all(one.is_ready for one in answers) else NgpError.exit_code
    if as_json:
        documents.write(
            {"schema": "ngp.ready/1", "environment": meant.environment, "exit_code": code, "checks": answers}
        )
    elif not answers:
        terminal.say(context.settings, "no module of these units has a readiness check")
    raise typer.Exit(code)


def _show(answer: Answer) -> None:
    from ngp.views import terminal

    state = "ready    " if answer.is_ready else "not ready"
    typer.echo(terminal.clean(f"{state}  {answer.unit}: {answer.target} {answer.says}"))


def _keep(_answer: Answer) -> None:
    """The document has them all."""
