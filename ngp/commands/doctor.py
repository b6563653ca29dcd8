"""`ngp doctor`: report missing prerequisites and how to get them."""

from __future__ import annotations

import typer

from ngp.commands import options, scope
from ngp.errors import MissingError
from ngp.views import documents, terminal
from ngp.views import prerequisites as view


def doctor(environment: options.OptionalEnvironmentName = "", as_json: options.AsJson = False) -> None:
    """Check prerequisites, and show how to get what is missing."""
    from ngp.environments import documents as files
    from ngp.environments import platforms
    from ngp.runs import prerequisites

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    if not environment and scope.is_implied(context, platform):
        environment = scope.choose(context, "").environment
    chosen = files.load(platform, environment) if environment else None
    checks = []
    for check in prerequisites.check(platform, chosen, context.settings):
        checks.append(check)
        if not as_json:
            view.show(check)
    code = 0 if all(check.is_ok for check in checks) else MissingError.exit_code
    if as_json:
        documents.write(view.document(environment, checks, code))
    elif not environment:
        terminal.say(context.settings, "next: ngp doctor ENV, to check the account of an environment, too")
    raise typer.Exit(code)
