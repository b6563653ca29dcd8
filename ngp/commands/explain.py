"""`ngp explain`: show which written line makes a plan change a resource."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import bundles, completion, options
from ngp.errors import UsageError

if TYPE_CHECKING:
    from ngp.commands.options import Context
    from ngp.environments.resolving import Resolved
    from ngp.runs.addresses import ResourceAddress
    from ngp.runs.results import RunResult

Named = Annotated[
    str,
    typer.Argument(
        metavar="[ENV|FILE]",
        help="the environment, which is planned, or the file of a bundle; without it the environment of this folder",
        autocompletion=completion.environments_or_units,
    ),
]
Word = Annotated[str, typer.Argument(metavar="ADDRESS", help="module.UNIT…, UNIT:ADDRESS, or a unit for all of it")]


_ADDRESS = "write UNIT:ADDRESS, as `ngp plan` shows it, or a unit"


def explain(
    environment: Named = "",
    address: Word = "",
    since: options.Since = "",
    identity: bundles.Identities = None,
    as_json: options.AsJson = False,
) -> None:
    """Show which line of tfvars, environment.yaml or a module changes a resource."""
    from ngp.reports import explaining
    from ngp.review import baseline
    from ngp.runs import addresses
    from ngp.views import documents, terminal

    context = options.context()
    environment, address = _words(context, environment, address)
    path = bundles.named(context, environment, None) if environment else None
    if path is not None:
        resolved, result = _of_bundle(context, path, identity)
        at, code = addresses.find(address, resolved), 0
    else:
        resolved, at, result, code = _of_plan(context, environment, address)
    report = explaining.report(resolved, result, baseline.find(resolved.platform, since))
    if as_json:
        documents.write(explaining.document(report, at.address, code))
        raise typer.Exit(code)
    terminal.show(explaining.text(report, at.address, code), context.settings)
    for one in report.units if code else ():
        terminal.say(context.settings, f"error: {one.unit}: {one.outcome.word}: {one.reason}", style="red", always=True)
    raise typer.Exit(code)


def _words(context: Context, first: str, second: str) -> tuple[str, str]:
    """Return what the two words of the command line mean: an environment or a bundle, "" for the folder's, and an
    address. Raises UsageError (64) if none is an address.
    """
    if first and not second and (bundles.named(context, first, None) or _is_environment(context, first)):
        raise UsageError(f"`ngp explain {first}` needs an address", todo=_ADDRESS)
    if not first:
        raise UsageError("name an address", todo=_ADDRESS)
    return (first, second) if second else ("", first)


def _is_environment(context: Context, word: str) -> bool:
    """Return whether a word names an environment."""
    from ngp.environments import documents, platforms

    return word in documents.names(platforms.load(platforms.find(context.cwd)))


def _of_bundle(context: Context, path: object, identity: list[str] | None) -> tuple[Resolved, RunResult]:
    from pathlib import Path

    from ngp.commands import reading
    from ngp.runs.bundle import opening
    from ngp.runs.results import Verb

    bundle = bundles.read(context, Path(str(path)), identity)
    resolved = reading.resolve(context, bundle.statement.environment)
    return resolved, replace(opening.run(bundle), verb=Verb(bundle.statement.verb))


def _of_plan(context: Context, environment: str, word: str) -> tuple[Resolved, ResourceAddress, RunResult, int]:
    """Plan the unit of an address; nothing is changed."""
    from ngp.commands import running, scope
    from ngp.runs import addresses, planning
    from ngp.runs.results import Verb

    name = scope.only(scope.choose(context, environment))
    with running.begin(context, name) as begun:
        at = addresses.find(word, begun.resolved)
        given = running.RunOptions(parallelism=options.DEFAULT_PARALLELISM)
        with running.open_run(context, Verb.PLAN, begun, [at.unit], given) as now:
            result = planning.plan(now.run)
    return begun.resolved, at, result, result.exit_code()
