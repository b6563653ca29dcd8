"""`ngp policy`: hold planned changes to ngp's own rules and to the platform's policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import bundles, completion, options

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.commands.options import Context
    from ngp.policies.verdict import Verdict

app = typer.Typer(help="Check plans against policies: ngp's own rules, and the platform's in Rego.")

Named = Annotated[
    str,
    typer.Argument(
        metavar="ENV|FILE",
        help="an environment to plan, or a bundle file; by default the environment of this folder",
        autocompletion=completion.environments_or_units,
    ),
]


@app.callback()
def group() -> None:
    """Check plans against policies: ngp's own rules, and the platform's in Rego."""


@app.command()
def check(
    environment: Named = "",
    units: options.UnitNames = None,
    identity: bundles.Identities = None,
    as_json: options.AsJson = False,
) -> None:
    """Plan, or read a bundle, and list denials and warnings of policies; exit with 3 on a denial."""
    from ngp.views import documents
    from ngp.views import verdicts as view

    context = options.context()
    path = bundles.named(context, environment, units)
    if path is not None:
        name, verdict, code = _of_bundle(context, path, identity)
    else:
        name, verdict, code = _of_plan(context, environment, units)
    code = verdict.exit_code(code)
    if as_json:
        documents.write(view.document(name, verdict, code))
    else:
        view.show(verdict, context.settings)
    raise typer.Exit(code)


def _of_bundle(context: Context, path: Path, identity: list[str] | None) -> tuple[str, Verdict, int]:
    from ngp.commands import reading
    from ngp.policies import checking
    from ngp.runs.bundle import opening

    bundle = bundles.read(context, path, identity)
    name = bundle.statement.environment
    resolved = reading.resolve(context, name)
    return name, checking.check(resolved, opening.run(bundle), checking.prepare(resolved)), 0


def _of_plan(context: Context, environment: str, units: list[str] | None) -> tuple[str, Verdict, int]:
    """Plan; what could not be planned was not checked, so its exit code stays."""
    from ngp.commands import running, scope
    from ngp.policies import checking
    from ngp.runs import planning
    from ngp.runs.results import Verb
    from ngp.views import verdicts as view

    meant = scope.choose(context, environment, units)
    with running.begin(context, meant.environment) as begun:
        policies = checking.prepare(begun.resolved)
        given = running.RunOptions(parallelism=options.DEFAULT_PARALLELISM)
        with running.open_run(context, Verb.PLAN, begun, meant.units, given) as now:
            result = planning.plan(now.run)
    view.print_unchecked(result.units, context.settings)
    return meant.environment, checking.check(begun.resolved, result, policies), result.exit_code()
