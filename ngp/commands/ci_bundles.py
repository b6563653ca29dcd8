"""The bundles that `ngp ci apply` applies: those that were reviewed with the pull request that was merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ngp.ci import bases
from ngp.ci.events import CISystem, EventKind
from ngp.commands import narrowing
from ngp.environments import documents, resolving
from ngp.errors import MissingError, RefusedError, StaleError, require
from ngp.forges.folder import Folder
from ngp.forges.forge import PullRequest

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.commands.pipelines import Pipeline
    from ngp.runs.bundle.opening import Bundle


def require_merged(pipeline: Pipeline, channel: Channel, number: int) -> None:
    """Raise RefusedError (3) in a pipeline of a change that is not merged, whoever started it.

    `number` is the pull request that the command line names, 0 for none.
    """
    event, what = pipeline.event, "nothing is applied before the merge"
    todo = "run it on a push to the default branch"
    if event.is_before_merge or event.is_fork:
        why = f"this pipeline was started by: {event.kind.value.replace('_', ' ')}"
        raise RefusedError(what, why=why, todo=todo)
    pull = None
    if number and not isinstance(channel.forge, Folder):
        pull = channel.attempt("the pull request cannot be read", lambda: channel.forge.pull_request(number))
        if pull is not None and not pull.is_merged:
            raise RefusedError(what, why=f"pull request {number} is not merged")
    if event.is_elsewhere and pull is None:
        why = "this pipeline runs on another branch than the default branch"
        if event.system is CISystem.JENKINS:
            why += ", or its branch source does not tell which one that is (BRANCH_IS_PRIMARY)"
        raise RefusedError(what, why=why, todo=todo)


def find_merged(channel: Channel, number: int) -> PullRequest | None:
    """Return the pull request that brought the commit of a channel, None where there is none or several.

    `number` is the one that the command line names, 0 for none. The channel notes where the forge does not say.
    """
    forge, found = channel.forge, list[PullRequest]()
    if number and not isinstance(forge, Folder):
        what, read = "the pull request cannot be read", lambda: [forge.pull_request(number)]
    else:
        what, read = "the pull request cannot be found", lambda: list(forge.merged(channel.head))
    if number or channel.head:
        told = channel.attempt(what, read)
        channel.has_read = channel.has_read and told is not None
        found = told or []
    return found[0] if len(found) == 1 else None


def collect(pipeline: Pipeline, channel: Channel, names: Sequence[str]) -> tuple[Mapping[str, Bundle], Collection[str]]:
    """Return the bundles by environment, and all environments that the change affects, also those of other jobs.

    Which bundle it is says the comment, or the status of the merge queue; a file has to be that very bundle. Raises
    MissingError (69) for a change without a bundle and where nobody can say what was planned, StaleError (4) or
    RefusedError (3) for another bundle.
    """
    digests = {name: _digest(pipeline, channel, name) for name in names}
    _require_told(pipeline, channel)
    found = {name: one for name in names if (one := _open(pipeline, name, digests[name])) is not None}
    changed = _affected(pipeline, names)
    affected = set(changed)
    missing = {name for name in names if name in {*channel.commented, *affected} and name not in found}
    if missing:
        what = f"the change of {', '.join(sorted(missing))} was merged without a plan"
        raise MissingError(what, todo="plan and apply it by hand: `ngp apply ENV` shows the plan first")
    for name, bundle in found.items():
        _require_fitting(name, bundle)
        _require_whole(name, bundle, changed.get(name, ()))
    return found, {*found, *affected}


def _digest(pipeline: Pipeline, channel: Channel, name: str) -> str:
    """Return the digest of the bundle that was reviewed, "" for none.

    That of a merge queue was planned on the merged commit itself. In a protected environment people approve that of the
    pull request. Raises StaleError (4) for a comment that is about another commit than the one that was merged.
    """
    queued = channel.queued(name) if channel.head else ""
    about = channel.named(name)
    if queued and not (about and about.bundle and name in pipeline.platform.protected):
        return queued
    if about is None or not about.bundle:
        return ""
    heads = {channel.head, channel.merged_head}
    if channel.merged_head and about.head not in heads:
        what = f"the comment of {name} is about another commit than the one that was merged"
        why = f"it is about {about.head[:12]}, and the head of the pull request was {channel.merged_head[:12]}"
        raise StaleError(what, why=why, todo=f"plan and apply it by hand: `ngp apply {name}` shows the plan first")
    return about.bundle


def _require_told(pipeline: Pipeline, channel: Channel) -> None:
    """Raise MissingError (69) where nobody can say what was planned: a file alone says nothing of a review."""
    if not channel.has_read:
        what, why = "nobody can say what was planned", "the pull request or its comments cannot be read"
        raise MissingError(what, why=why, todo="run it again when the API answers")
    if isinstance(channel.forge, Folder) and pipeline.event.system in (CISystem.GITHUB, CISystem.GITLAB):
        name = "GITHUB_TOKEN" if pipeline.is_github else "GITLAB_TOKEN"
        what, why = "nobody can say what was planned", f"{name} is not set, and files can come from anywhere"
        raise MissingError(what, why=why, todo=f"give the job {name}: the comment names the bundle that was reviewed")


def _open(pipeline: Pipeline, name: str, digest: str) -> Bundle | None:
    """Open the bundle with this digest: the file that is there, else the kept one; None where there is nothing.

    Raises StaleError (4) for a file that is another bundle, and for one that no comment names: an earlier pipeline may
    have left it in the folder.
    """
    from ngp.runs.bundle import opening

    path = pipeline.folder / f"{name}.bundle"
    if not path.is_file():
        if not digest:
            return None
        _fetch(pipeline, name, digest)
    found = opening.read_statement(path)
    if found.digest == digest:
        return found
    what = f"the file of {name} is not the bundle that was reviewed"
    named = f"that of the reviewed one {digest}" if digest else "no comment names it"
    why = f"its digest is {found.digest}, and {named}"
    raise StaleError(what, where=str(path), why=why, todo="do not apply it; delete the file")


def _affected(pipeline: Pipeline, names: Collection[str]) -> Mapping[str, Collection[str]]:
    """Return the units that the push changed by environment, none for what is no push.

    On Jenkins nobody else says what was merged: where no good build is there to compare with, all units count.
    Raises UsageError for what is wrong in one of `names`; another one that does not resolve is left to its own job.
    """
    event, platform = pipeline.event, pipeline.platform
    if event.kind is not EventKind.PUSH or not (event.base or event.system is CISystem.JENKINS):
        return {}
    among = documents.names(platform)
    resolved, wrong = resolving.collect(platform, among)
    if len(resolved) < len(among) and {*names} - {one.environment.name for one in resolved}:
        require(dict.fromkeys(wrong))
    if not event.base:
        return {one.environment.name: tuple(one.environment.units) for one in resolved if one.environment.units}
    if not resolved:
        return {}
    found = narrowing.collect(platform, resolved, bases.find(platform, event.base, may_fetch=True))
    return {name: units for name in among if (units := found.names(name))}


def _require_fitting(name: str, bundle: Bundle) -> None:
    """Raise for a bundle that is not of this environment, and for one that destroys: no pull request shows that."""
    stated, path = bundle.statement, bundle.archive.path
    if stated.environment != name:
        what = f"the bundle in the place of {name}'s is for {stated.environment}"
        raise StaleError(what, where=str(path), todo="do not apply it; make a new one with `ngp ci plan`")
    if stated.verb != "apply":
        todo = f"`ngp apply {path.name}` applies it by hand"
        raise RefusedError(f"the bundle of {name} destroys", where=str(path), todo=todo)


def _require_whole(name: str, bundle: Bundle, changed: Collection[str]) -> None:
    """Raise MissingError (69) for units that the push changed and the bundle leaves out.

    A merge queue plans each pull request on top of those before it, and may merge several with one push.
    """
    chosen = bundle.statement.chosen
    left = [unit for unit in changed if unit not in chosen] if chosen else []
    if left:
        what = f"the bundle of {name} leaves out what was merged with it: {', '.join(left)}"
        todo = f"plan and apply it by hand: `ngp apply {name}` shows the plan first"
        raise MissingError(what, where=str(bundle.archive.path), todo=todo)


def _fetch(pipeline: Pipeline, environment: str, digest: str) -> None:
    """Fetch a kept bundle into the folder. Raises MissingError (69) where nothing keeps it."""
    from ngp.commands import reading
    from ngp.environments.environment import BundleKeeping
    from ngp.runs.bundle.library import Library

    path = pipeline.folder / f"{environment}.bundle"
    if pipeline.platform.bundles is BundleKeeping.FILES:
        todo = "keep the folder of `ngp ci plan` as an artifact and bring it here, or set `bundles: state` in ngp.yaml"
        raise MissingError(f"the bundle {digest[:12]} of {environment} is not here", where=str(path), todo=todo)
    with reading.open_region(pipeline.context, environment) as region:
        Library(region.resolved, region.session).fetch(digest, path)
