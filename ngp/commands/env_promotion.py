"""`ngp env diff` and `ngp env promote`: what two environments differ in, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp import files
from ngp.commands import completion, options
from ngp.environments import comparing, platforms
from ngp.errors import NgpError, UsageError
from ngp.views import documents, promotion, terminal

if TYPE_CHECKING:
    from ngp.environments.comparing import Difference, Side
    from ngp.environments.environment import Platform

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
DryRun = Annotated[bool, typer.Option("--dry-run", help="show how the files change, write nothing")]
WithPlan = Annotated[bool, typer.Option("--plan", help="then plan the target")]

_DIFFERS = 2  # a difference that nobody declared, or whose day has passed


def diff(source: Source, target: Target, show_all: options.ShowAll = False, as_json: options.AsJson = False) -> int:
    """Compare two environments; exit 2 if a difference is not declared or has expired."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    _, other, found = _compare(platform, source, target)
    unused = comparing.unused(found, other)
    if as_json:
        documents.write(promotion.comparison(source, target, found, unused))
    else:
        promotion.show(source, target, found, context.settings, whole=show_all)
        for key in unused:
            terminal.say(context.settings, f"no difference needs the declaration `{key}` of {target}")
    is_equal = all(each.standing is comparing.Standing.DECLARED for each in found)
    return 0 if is_equal else _DIFFERS


def promote(
    source: Source,
    target: Target,
    only: Only = None,
    dry_run: DryRun = False,
    plan: WithPlan = False,
    as_json: options.AsJson = False,
) -> None:
    """Give TARGET what SOURCE has, in its files, and render it; facts and declared differences stay."""
    from ngp.environments import promoting

    if plan and (as_json or dry_run):
        raise UsageError("`--plan` plans what was written", todo=f"leave it out, and run: ngp plan {target} --json")
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    lock = platform.workspace.lock(target)
    with files.lock(lock, purpose=f"ngp env promote {source} {target}"):
        made = promoting.prepare(platform, *_compare(platform, source, target), only or ())
        changed = {path: text for path, text in made.files.items() if not _says(path, text)}
        rendered = _render(platform, target, made.files) if made.promoted else {}
        if not dry_run:
            _write({**changed, **rendered})
    paths = sorted(path.relative_to(platform.path) for path in (*changed, *rendered))
    if as_json:
        documents.write(promotion.document(source, target, made, paths, written=not dry_run))
    else:
        if dry_run:
            promotion.show_diff(platform.path, changed, made.secrets, context.settings)
        promotion.tell(made, paths, context.settings, target=target, written=not dry_run)
    if plan:
        _plan(context, target)


def _compare(platform: Platform, source: str, target: str) -> tuple[Side, Side, tuple[Difference, ...]]:
    if source == target:
        raise UsageError(
            f"`{source}` cannot be compared with itself", todo="name two environments; ngp env list shows all"
        )
    one, other = comparing.load(platform, source), comparing.load(platform, target)
    return one, other, comparing.compare(one, other, datetime.now(UTC).date())


def _render(platform: Platform, target: str, written: Mapping[Path, str]) -> dict[Path, str | None]:
    """The rendered files that change with these texts of the target, None for one that goes; raise UsageError."""
    from ngp.environments import promoting
    from ngp.rendering import roots, staleness

    found = roots.render(promoting.resolve(platform, target, written))
    stale = staleness.compare(platform.path, found, (target,))
    made: dict[Path, str | None] = {platform.path / path: found[path] for path in (*stale.missing, *stale.differing)}
    return made | {platform.path / path: None for path in stale.orphaned}


def _says(path: Path, text: str) -> bool:
    return (path.read_bytes() if path.is_file() else b"") == text.encode()


def _write(changes: Mapping[Path, str | None]) -> None:
    try:
        files.write_all({path: text for path, text in changes.items() if text is not None})
        files.remove_all(path for path, text in changes.items() if text is None)
    except OSError as error:
        raise NgpError("the files cannot be written", where=str(error.filename), why=f"{error.strerror}") from None


def _plan(context: options.Context, target: str) -> None:
    from ngp.commands import running
    from ngp.runs import planning
    from ngp.runs.results import Verb

    with (
        running.begin(context, target) as begun,
        running.open_run(context, Verb.PLAN, begun, (), running.Wish()) as now,
    ):
        result = planning.plan(now.run)
    running.end(context, result, running.Output(as_json=False, as_json_lines=False, whole=False))
