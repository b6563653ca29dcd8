"""`ngp ci init`: write the pipelines of a CI system, or say which of them are stale."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngp import files
from ngp.commands import options
from ngp.environments import documents, platforms, revisions
from ngp.environments.environment import Platform
from ngp.errors import NgpError
from ngp.rendering import pipelines
from ngp.rendering.pipelines import PipelineEnvironment, PipelineSystem
from ngp.views import documents as views
from ngp.views import terminal

_ORDER = ("dev", "test", "stage", "staging", "prod", "production")


def init(
    system: Annotated[PipelineSystem, typer.Argument(metavar="SYSTEM", help="github, gitlab or jenkins")],
    branch: Annotated[
        str, typer.Option("--branch", help="branch to apply; by default the remote's default branch, else main")
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 and list what is stale")] = False,
    as_json: options.AsJson = False,
) -> int:
    """Write the pipelines for a CI system: plan, apply, nightly plan, promotion."""
    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    top, folder = _repository(platform)
    rendered = pipelines.render(platform.path, system, branch or _branch(platform), _stages(platform), folder)
    stale = pipelines.stale(top, rendered, folder)
    if not check:
        try:
            files.write_all({top / path: rendered[path] for path in stale})
        except OSError as error:
            raise NgpError("cannot write the pipelines", where=str(error.filename), why=f"{error.strerror}") from None
    if as_json:
        views.write({"schema": "ngp.ci.init/1", "system": system, "files": list(rendered), "stale": stale,
                     "written": not check})  # fmt: skip
    else:
        for path in stale:
            terminal.out(context.settings).print(terminal.line(f"{'stale' if check else 'wrote'} {path}"))
        if not stale:
            terminal.say(context.settings, f"up to date: {', '.join(map(str, rendered))}")
        elif check:
            terminal.say(context.settings, f"stale: run `ngp ci init {system.value}`")
    return NgpError.exit_code if check and stale else 0


def _repository(platform: Platform) -> tuple[Path, str]:
    """The top of the repository, and the platform's folder in it; the platform itself where there is none."""
    outcome = revisions.run_git(platform.path, "rev-parse", "--show-toplevel", "--show-prefix")
    if outcome is None or outcome.exit_code:
        return platform.path, ""
    top, prefix = outcome.stdout.split("\n")[:2]
    return Path(top), prefix.rstrip("/")


def _branch(platform: Platform) -> str:
    """The default branch of the remote `origin`, "main" where Git does not know it."""
    outcome = revisions.run_git(platform.path, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    branch = outcome.stdout.strip() if outcome is not None and outcome.exit_code == 0 else ""
    return branch.removeprefix("origin/") or "main"


def _stages(platform: Platform) -> list[PipelineEnvironment]:
    """The environments in the order of promotion: by the usual names of stages, protected ones last."""
    found = [documents.load(platform, name) for name in documents.names(platform)]
    stages = [PipelineEnvironment(one.name, one.region, one.name in platform.protected) for one in found]
    return sorted(stages, key=lambda one: (one.protected, _rank(one.name), one.name))


def _rank(name: str) -> int:
    return next((at for at, word in enumerate(_ORDER) if name.startswith(word)), 0)
