"""`ngp doctor`: what is missing, and how to get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ngp.commands import options, scope
from ngp.errors import MissingError
from ngp.views import documents, terminal

if TYPE_CHECKING:
    from ngp.runs.prerequisites import Prerequisite


def doctor(environment: options.OptionalEnvironmentName = "", as_json: options.AsJson = False) -> None:
    """Say what is missing and how to get it."""
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
            _show(check)
    code = 0 if all(check.is_ok for check in checks) else MissingError.exit_code
    if as_json:
        facts = [{"name": one.name, "ok": one.is_ok, "says": one.says, "findings": one.findings} for one in checks]
        documents.write({"schema": "ngp.doctor/1", "environment": environment, "exit_code": code, "checks": facts})
    elif not environment:
        terminal.say(context.settings, "next: ngp doctor ENV looks at an environment's account, too")
    raise typer.Exit(code)


def _show(check: Prerequisite) -> None:
    """One line for what is there; for what is missing also why, and how to get it."""
    typer.echo(terminal.clean(f"{'ok     ' if check.is_ok else 'missing'}  {check.name + ':':<13} {check.says}"))
    for finding in check.findings:
        for label, text in (("where", finding.where), ("why", finding.why), ("do", finding.todo)):
            if text:
                typer.echo(terminal.clean(f"         {label + ':':<13} {text}"))
