"""`ngp env diff` and `ngp env promote`: compare two environments, and promote one to the next."""

from __future__ import annotations

from typing import Annotated

import typer

from ngp.commands import completion, options
from ngp.environments import comparing, platforms
from ngp.errors import UsageError
from ngp.views import documents
from ngp.views import promotion as view

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="the environment before", autocompletion=completion.environments)
]
Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="the environment after", autocompletion=completion.environments)
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="UNIT", help="only this unit; repeatable", autocompletion=completion.units),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show how the files would change, but write nothing")]
WithPlan = Annotated[bool, typer.Option("--plan", help="plan the target afterwards")]

_DIFFERS = 2  # a difference that nobody declared, or whose day has passed


def diff(source: Source, target: Target, show_all: options.ShowAll = False, as_json: options.AsJson = False) -> int:
    """Compare two environments; exit with 2 if a difference is undeclared or its declaration has expired."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    _, other, found = comparing.load_pair(platform, source, target)
    unused = comparing.unused(found, other)
    if as_json:
        documents.write(view.comparison(source, target, found, unused))
    else:
        view.show(source, target, found, context.settings, whole=show_all)
        view.print_unused(unused, target, context.settings)
    return 0 if comparing.is_declared(found) else _DIFFERS


def promote(
    source: Source,
    target: Target,
    only: Only = None,
    dry_run: DryRun = False,
    plan: WithPlan = False,
    as_json: options.AsJson = False,
) -> None:
    """Copy modules, units and values of SOURCE to TARGET, and render it; facts and declared differences stay."""
    from ngp.rendering import promotion

    if plan and (as_json or dry_run):
        todo = f"omit it, then run: ngp plan {target} --json"
        raise UsageError("`--plan` does not work with `--json` or `--dry-run`", todo=todo)
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    made = promotion.promote(platform, source, target, only or (), write=not dry_run)
    if as_json:
        documents.write(view.document(source, target, made.promotion, made.paths, written=not dry_run))
    else:
        if dry_run:
            view.show_diff(platform.path, made.own, made.promotion.secrets, context.settings)
        view.print_result(made.promotion, made.paths, context.settings, target=target, written=not dry_run)
    if plan:
        _plan(context, target)


def _plan(context: options.Context, target: str) -> None:
    from ngp.commands import running
    from ngp.runs import planning
    from ngp.runs.results import Verb

    with (
        running.begin(context, target) as begun,
        running.open_run(context, Verb.PLAN, begun, (), running.RunOptions()) as now,
    ):
        result = planning.plan(now.run)
    running.end(context, result, running.ResultOptions(as_json=False, as_json_lines=False, whole=False))
