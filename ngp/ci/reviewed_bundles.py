"""The bundles that `ngp ci apply` applies: those that were reviewed with the pull request that was merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ngp.ci import bases, statuses
from ngp.ci.events import CISystem, EventKind
from ngp.ci.evidence import EvidenceGap
from ngp.environments import documents, resolving
from ngp.errors import MissingError, NgpError, RefusedError, StaleError, require
from ngp.forges.folder import Folder
from ngp.forges.forge import PullRequest
from ngp.review import narrowing

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.ci.comment import Marker
    from ngp.ci.pipeline import Pipeline
    from ngp.runs.bundle.opening import Bundle


def require_merged(pipeline: Pipeline, channel: Channel, number: int) -> None:
    """Raise RefusedError (3) in a pipeline of a change that is not merged, whoever started it.

    `number` is the pull request that the command line names, 0 for none.
    """
    event, what = pipeline.event, "ngp applies nothing before the merge"
    todo = "run `ngp ci apply` on a push to the default branch"
    if event.is_before_merge or event.is_fork:
        why = f"this event started the pipeline: {event.kind.value.replace('_', ' ')}"
        raise RefusedError(what, why=why, todo=todo)
    pull = None
    if number and not isinstance(channel.forge, Folder):
        pull = channel.attempt("cannot read the pull request", lambda: channel.forge.pull_request(number))
        if pull is not None and not pull.is_merged:
            raise RefusedError(what, why=f"pull request {number} is not merged")
        if pull is not None and event.default_branch not in ("", pull.target):
            why = f"pull request {number} was merged into {pull.target}, not into {event.default_branch}"
            what, todo = "ngp applies only what was merged into the default branch", "apply it by hand: ngp apply ENV"
            raise RefusedError(what, why=why, todo=todo)
    if event.is_elsewhere and pull is None:
        why = "this pipeline does not run on the default branch"
        if event.system is CISystem.JENKINS:
            why += ", or Jenkins does not say which branch that is (BRANCH_IS_PRIMARY)"
        raise RefusedError(what, why=why, todo=todo)


def find_merged(channel: Channel, number: int) -> PullRequest | None:
    """Return the pull request that brought the commit of a channel, None where there is none or several.

    `number` is the one that the command line names, 0 for none. The channel notes where the forge does not say.
    """
    forge, found = channel.forge, list[PullRequest]()
    if number and not isinstance(forge, Folder):
        what, read = "cannot read the pull request", lambda: [forge.pull_request(number)]
    else:
        what, read = "cannot find the pull request", lambda: list(forge.merged(channel.head))
    if number or channel.head:
        comments_read = channel.attempt(what, read)
        channel.has_read = channel.has_read and comments_read is not None
        found = comments_read or []
    return found[0] if len(found) == 1 else None


def find(
    pipeline: Pipeline, channel: Channel, environments: Sequence[str], number: int
) -> tuple[Mapping[str, Bundle], Collection[str]]:
    """Return the bundles, and the environments that all jobs apply; the status says why they cannot be found.

    `number` is the pull request that the command line names, 0 for none. Raises as `collect`.
    """
    merged = find_merged(channel, number)
    channel.number = merged.number if merged else number
    channel.merged_head, channel.target = (merged.head, merged.target) if merged else ("", "")
    channel.begin(())
    try:
        return collect(pipeline, channel, list(dict.fromkeys(environments or _ordered(pipeline))))
    except NgpError as error:
        pipeline.fail(channel, error.findings)
        raise


def _ordered(pipeline: Pipeline) -> list[str]:
    """Return all environments, the protected ones last: they get what worked elsewhere."""
    platform = pipeline.platform
    return sorted(documents.names(platform), key=lambda name: name in platform.protected)


def collect(pipeline: Pipeline, channel: Channel, names: Sequence[str]) -> tuple[Mapping[str, Bundle], Collection[str]]:
    """Return the bundles by environment, and all environments that the change affects, also those of other jobs.

    The comment says which bundle it is, and the status of a plan for this merge must say so too; after a merge queue,
    the queue's status of its commit says it alone. A file has to be that very bundle. Raises MissingError (69) for a
    change without a bundle and where nobody can say what was planned, StaleError (4) or RefusedError (3) for another
    bundle.
    """
    digests = {name: _digest(pipeline, channel, name) for name in names}
    _require_read(channel)
    _require_token(pipeline, channel)
    found = {name: one for name in names if (one := _open(pipeline, name, digests[name])) is not None}
    changed = _affected(pipeline, names)
    affected = set(changed)
    missing = {name for name in names if name in {*channel.commented, *affected} and name not in found}
    if missing:
        what = f"the change to {', '.join(sorted(missing))} was merged without a plan"
        raise MissingError(what, todo="review and apply it by hand: ngp apply ENV")
    for name, bundle in found.items():
        _require_fitting(name, bundle)
        _require_whole(name, bundle, changed.get(name, ()))
    return found, {*found, *affected}


def _digest(pipeline: Pipeline, channel: Channel, name: str) -> str:
    """Return the digest of the bundle that was reviewed, "" for none.

    That of a merge queue was planned on the merged commit itself. In a protected environment people approve that of the
    pull request. Raises StaleError (4) for a comment that is about another commit than the one that was merged, and as
    `_require_planned`.
    """
    queued, about = channel.evidence(name, channel.head).queue, channel.named(name)
    if queued and not (about and about.bundle and name in pipeline.platform.protected):
        return queued[0]
    if about is None or not about.bundle:
        return ""
    if channel.merged_head:
        _require_merged_commit(channel, name, about)
        _require_planned(channel, name, about)
    return about.bundle


def _require_merged_commit(channel: Channel, name: str, about: Marker) -> None:
    if about.head not in {channel.head, channel.merged_head}:
        what = f"the comment on {name} is not about the merged commit"
        why = f"it is about {about.head[:12]}, but the last commit of the pull request was {channel.merged_head[:12]}"
        raise StaleError(what, why=why, todo=_by_hand(name))


def _require_planned(channel: Channel, name: str, about: Marker) -> None:
    """Raise for a bundle that no plan for this merge made, as statuses say: many people may edit a comment.

    The pull request's own plans have theirs on its last commit. A plan of a merge train and an apply write a comment
    about the merged commit, so there a status of the queue counts, too. Raises MissingError (69) where no status names
    a bundle, StaleError (4) where they name others. A folder has no pull requests, so nothing asks here for its
    statuses.
    """
    of_pull, commit = channel.evidence(name, channel.merged_head), channel.merged_head
    of_queue = channel.evidence(name, channel.head if about.head == channel.head else "")
    _require_read(channel)
    if about.bundle in {*of_pull.pull_request, *of_queue.queue}:
        return
    status, planned = statuses.context("plan", name), of_pull.pull_request
    if not planned:
        commit, planned = about.head, of_queue.queue
    if not planned:
        gap, commit = (of_pull.gap, channel.merged_head)
        if gap is EvidenceGap.NONE and of_queue.gap is not EvidenceGap.NONE:
            gap, commit = of_queue.gap, channel.head
        todo = "; now ".join(filter(None, [gap.todo, _by_hand(name)]))
        raise MissingError(f"cannot tell which bundle of {name} was reviewed", why=gap.why(status, commit), todo=todo)
    what = f"the comment on {name} names another bundle than the status of its plan"
    others = ", ".join(one[:12] for one in planned)
    why = (
        f"the comment names {about.bundle[:12]}, but {status} of {commit[:12]} names {others}: "
        "the last plan could not set its status, or somebody edited the comment"
    )
    raise StaleError(what, why=why, todo=_by_hand(name))


def _by_hand(name: str) -> str:
    return f"review and apply the change by hand: ngp apply {name}"


def _require_read(channel: Channel) -> None:
    """Raise MissingError (69) if the reviewed bundle is unknown: a file alone is not evidence of a review."""
    if not channel.has_read:
        what = "cannot tell which bundle was reviewed"
        why = "ngp could not read the pull request, its comments or its statuses"
        raise MissingError(what, why=why, todo="run the job again when the API answers")


def _require_token(pipeline: Pipeline, channel: Channel) -> None:
    """Raise MissingError (69) on GitHub and GitLab without a token, by which alone the comment can be read."""
    if isinstance(channel.forge, Folder) and pipeline.event.system in (CISystem.GITHUB, CISystem.GITLAB):
        name = "GITHUB_TOKEN" if pipeline.is_github else "GITLAB_TOKEN"
        what, why = "cannot tell which bundle was reviewed", f"{name} is not set, so ngp cannot read the comment"
        raise MissingError(what, why=why, todo=f"set {name} in the job: the comment names the reviewed bundle")


def _open(pipeline: Pipeline, name: str, digest: str) -> Bundle | None:
    """Open the bundle with this digest: the file that is there, else the kept one; None where there is nothing.

    Raises StaleError (4) for a file that is another bundle, and for one that no comment names: an earlier pipeline may
    have left it in the folder.
    """
    from ngp.runs.bundle import opening

    path = pipeline.bundle(name)
    if not path.is_file():
        if not digest:
            return None
        _fetch(pipeline, name, digest)
    found = opening.read_statement(path)
    if found.digest == digest:
        return found
    what = f"the bundle file of {name} is not the reviewed bundle"
    named = f"the reviewed bundle has {digest}" if digest else "no comment names it"
    why = f"its digest is {found.digest}, but {named}"
    raise StaleError(what, where=str(path), why=why, todo="do not apply this file; delete it")


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
    base = bases.find(platform, event.base, may_fetch=True, say=pipeline.say)
    found = narrowing.collect(platform, resolved, base)
    return {name: units for name in among if (units := found.names(name))}


def _require_fitting(name: str, bundle: Bundle) -> None:
    """Raise for a bundle that is not of this environment, and for one that destroys: no pull request shows that."""
    stated, path = bundle.statement, bundle.archive.path
    if stated.environment != name:
        what = f"the bundle file of {name} is for the environment {stated.environment}"
        raise StaleError(what, where=str(path), todo="do not apply it; make a new bundle with `ngp ci plan`")
    if stated.verb != "apply":
        todo = f"apply it by hand: ngp apply {path.name}"
        raise RefusedError(f"the bundle of {name} was made by `ngp destroy`", where=str(path), todo=todo)


def _require_whole(name: str, bundle: Bundle, changed: Collection[str]) -> None:
    """Raise MissingError (69) for units that the push changed and the bundle leaves out.

    A merge queue plans each pull request on top of those before it, and may merge several with one push.
    """
    chosen = bundle.statement.chosen
    left = [unit for unit in changed if unit not in chosen] if chosen else []
    if left:
        what = f"the bundle of {name} lacks units that were merged with it: {', '.join(left)}"
        todo = f"review and apply them by hand: ngp apply {name}"
        raise MissingError(what, where=str(bundle.archive.path), todo=todo)


def _fetch(pipeline: Pipeline, environment: str, digest: str) -> None:
    """Fetch a kept bundle into the folder. Raises MissingError (69) where nothing keeps it."""
    from ngp.environments.environment import BundleKeeping
    from ngp.runs import access
    from ngp.runs.bundle.library import Library

    path = pipeline.bundle(environment)
    if pipeline.platform.bundles is BundleKeeping.FILES:
        todo = "pass the folder of `ngp ci plan` to this job as an artifact, or set `bundles: state` in ngp.yaml"
        raise MissingError(f"cannot find the bundle {digest[:12]} of {environment}", where=str(path), todo=todo)
    resolved, settings = resolving.resolve(pipeline.platform, environment), pipeline.caller.settings
    reach = access.open_states(resolved, settings, pipeline.say, stop=pipeline.caller.stop)
    Library(resolved, reach.session).fetch(digest, path)
