"""The bundles that `ngp ci apply` applies: those that were reviewed with the pull request that was merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.ci import bases
from ngp.ci.events import Kind
from ngp.commands import narrowing
from ngp.environments import documents, resolving
from ngp.errors import MissingError, RefusedError, StaleError, require
from ngp.forges.folder import Folder

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.commands.pipelines import Pipeline

_BEFORE_MERGE = (Kind.PULL_REQUEST, Kind.MERGE_QUEUE, Kind.COMMENT)


def require_merged(pipeline: Pipeline, channel: Channel, number: int) -> None:
    """Raise RefusedError (3) in a pipeline of a change that is not merged, whoever started it.

    `number` is the pull request that the command line names, 0 for none.
    """
    event, what = pipeline.event, "nothing is applied before the merge"
    todo = "run it on a push to the default branch"
    if event.kind in _BEFORE_MERGE or event.is_fork:
        why = f"this pipeline was started by: {event.kind.value.replace('_', ' ')}"
        raise RefusedError(what, why=why, todo=todo)
    pull = None
    if number and not isinstance(channel.forge, Folder):
        pull = channel.attempt("the pull request cannot be read", lambda: channel.forge.pull_request(number))
        if pull is not None and not pull.is_merged:
            raise RefusedError(what, why=f"pull request {number} is not merged")
    if event.is_elsewhere and pull is None:
        raise RefusedError(what, why="this pipeline runs on another branch than the default branch", todo=todo)


def number(channel: Channel, commit: str) -> int:
    """Return the number of the pull request that brought a commit, 0 where there is none or several.

    The channel notes where the forge does not say.
    """
    if not commit:
        return 0
    found = channel.attempt("the pull request cannot be found", lambda: channel.forge.merged(commit))
    if found is None:
        channel.has_read = False
    return found[0].number if found and len(found) == 1 else 0


def collect(pipeline: Pipeline, channel: Channel, names: Sequence[str]) -> tuple[Mapping[str, Path], Collection[str]]:
    """Return the bundles by environment, and all environments that the change affects, also those of other jobs.

    The files that are there come first, then those that the comments name. Raises MissingError (69) for a change
    without a bundle and where nobody can say what was planned, StaleError (4) or RefusedError (3) for another bundle.
    """
    found = {name: pipeline.folder / f"{name}.bundle" for name in names}
    found = {name: path for name, path in found.items() if path.is_file()}
    for name in names:
        digest = channel.bundle(name)
        if name not in found and digest:
            found[name] = _fetch(pipeline, name, digest)
    if not found and not channel.has_read:
        what, why = "nobody can say what was planned", "the pull request or its comments cannot be read"
        raise MissingError(what, why=why, todo="run it again when the API answers")
    affected = _affected(pipeline, names, [name for name in documents.names(pipeline.platform) if name not in found])
    missing = {name for name in names if name in {*channel.commented, *affected} and name not in found}
    if missing:
        what = f"the change of {', '.join(sorted(missing))} was merged without a plan"
        raise MissingError(what, todo="plan and apply it by hand: `ngp apply ENV` shows the plan first")
    for name, path in found.items():
        _require_fitting(name, path)
    return found, {*found, *affected}


def _affected(pipeline: Pipeline, names: Collection[str], among: Collection[str]) -> set[str]:
    """Return what of some environments the push changed; nothing for what is no push, or names no base.

    Raises UsageError for what is wrong in one of `names`; another one that does not resolve is left to its own job.
    """
    event, platform = pipeline.event, pipeline.platform
    if event.kind is not Kind.PUSH or not event.base or not among:
        return set()
    resolved, wrong = resolving.collect(platform, among)
    if len(resolved) < len(among) and {*among} & {*names} - {one.environment.name for one in resolved}:
        require(dict.fromkeys(wrong))
    if not resolved:
        return set()
    found = narrowing.collect(platform, resolved, bases.find(platform, event.base, may_fetch=True))
    return {one.environment for one in found.units}


def _require_fitting(name: str, path: Path) -> None:
    """Raise for a bundle that is not of this environment, and for one that destroys: no pull request shows that."""
    from ngp.runs.bundle import opening

    stated = opening.read_statement(path).statement
    if stated.environment != name:
        what = f"the bundle in the place of {name}'s is for {stated.environment}"
        raise StaleError(what, where=str(path), todo="do not apply it; make a new one with `ngp ci plan`")
    if stated.verb != "apply":
        todo = f"`ngp apply {path.name}` applies it by hand"
        raise RefusedError(f"the bundle of {name} destroys", where=str(path), todo=todo)


def _fetch(pipeline: Pipeline, environment: str, digest: str) -> Path:
    """Fetch a kept bundle. Raises MissingError (69) where nothing keeps it."""
    from ngp.commands import reading
    from ngp.environments.environment import BundleKeeping
    from ngp.runs.bundle.library import Library

    path = pipeline.folder / f"{environment}.bundle"
    if pipeline.platform.bundles is BundleKeeping.FILES:
        todo = "keep the folder of `ngp ci plan` as an artifact and bring it here, or set `bundles: state` in ngp.yaml"
        raise MissingError(f"the bundle {digest[:12]} of {environment} is not here", where=str(path), todo=todo)
    with reading.open_region(pipeline.context, environment) as region:
        Library(region.resolved, region.session).fetch(digest, path)
    return path
