"""Shared by `ngp ci plan` and `ngp ci apply`: the event, the forge, the output folder, and the channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial, wraps
from itertools import groupby
from typing import Annotated, ParamSpec

import typer

from ngp.ci import pipeline as ci_pipeline
from ngp.ci import workflow_commands
from ngp.ci.pipeline import Pipeline
from ngp.commands import options
from ngp.errors import Finding
from ngp.views import terminal

P = ParamSpec("P")
Folder = Annotated[
    str, typer.Option("--out-dir", metavar="DIR", help="folder for reports, bundles and outputs; by default .ngp/ci")
]


_TOKENS: ContextVar[list[str]] = ContextVar("tokens")


def shielded(act: Callable[P, int]) -> Callable[P, int]:
    """Return a command after which GitHub reads commands of the log again."""

    @wraps(act)
    def run(*words: P.args, **options: P.kwargs) -> int:
        before = _TOKENS.set([])
        try:
            return act(*words, **options)
        finally:
            for token in _TOKENS.get():
                typer.echo(workflow_commands.resume(token), err=True)
            _TOKENS.reset(before)

    return run


def begin(context: options.Context, folder: str) -> Pipeline:
    """Open the pipeline of this job. GitHub reads no command but ours until a `shielded` command ends.

    Messages hold names and values that could be such commands. Raises what `pipeline.open_pipeline` raises.
    """
    say = partial(terminal.say, context.settings, always=True)
    log = partial(typer.echo, err=True)
    found, why = ci_pipeline.open_pipeline(
        ci_pipeline.PipelineCaller(context.settings, context.cwd, say, log, context.stop), folder
    )
    if found.is_github:
        log(workflow_commands.stop(found.token))
        _TOKENS.get().append(found.token)
    if why:
        found.warn(why)
    return found


def close(pipeline: Pipeline, environment: str, found: Sequence[Finding]) -> None:
    """End the group of an environment in the log, and show what is wrong there."""
    pipeline.command([workflow_commands.END])
    pipeline.annotate(found)
    settings = options.context().settings
    for todo, alike in groupby(found, lambda one: one.todo):  # a fix is said once for all files that need it
        for one in alike:
            terminal.say(settings, f"error: {environment}: {one}", style="red", always=True)
        if todo:
            lines = todo.replace("\n", "\n         ")
            terminal.say(settings, f"  fix:   {lines}", always=True)
