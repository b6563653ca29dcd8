"""Examines a change for `ngp ci plan`: its trust tier, the affected units, and problems."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.ci import bases, locations, tiers
from ngp.ci.events import EventKind
from ngp.ci.tiers import Tier
from ngp.environments import acceptance, documents, resolving, wiring
from ngp.errors import Finding, NgpError, UsageError, require
from ngp.forges.forge import ForgeError
from ngp.rendering import trees
from ngp.review import narrowing

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.ci.pipeline import Pipeline
    from ngp.environments.environment import Platform
    from ngp.environments.resolving import Resolved
    from ngp.review.affected import Affected


Trust = tuple[Tier, str]  # and why


@dataclass(frozen=True)
class ChangeRequest:
    """What the line asks about: the commit to compare with, all units or the affected ones; `emit` gets these."""

    since: str
    is_whole: bool
    emit: Callable[[Affected], object]


@dataclass(frozen=True)
class CheckedChange:
    """What a pipeline checks: how far it is trusted, what is affected, and what is wrong or needs a look."""

    tier: Tier
    why: str
    affected: Affected | None  # None: compared with nothing
    rules: str = ""  # the commit whose policies hold, "" for the work tree
    is_whole: bool = False  # all units are planned, not only the affected ones
    expected: tuple[str, ...] = ()  # environments that the change affects, also those of other jobs
    flags: tuple[Finding, ...] = ()
    broken: tuple[tuple[str, Finding], ...] = ()  # by environment
    target: str = ""  # the branch that the change goes into

    @property
    def narrowed(self) -> Affected | None:
        """The affected units if only these are planned, None if all are."""
        return None if self.is_whole else self.affected


def trust(pipeline: Pipeline) -> Trust:
    """Return how far the change is trusted; a forge that does not answer authorises nothing."""
    try:
        tier, why = tiers.choose(pipeline.event, pipeline.forge, pipeline.checked_out)
    except (ForgeError, LookupError, TypeError, ValueError) as error:
        tier, why = Tier.STRANGER, f"cannot check who ordered this plan: {error}"
    if why:
        pipeline.say(why)
    return tier, why


def require_head(pipeline: Pipeline) -> None:
    """Raise UsageError (64) if another commit is checked out than the pull request's, which would get a wrong
    status."""
    event = pipeline.event
    if event.kind is EventKind.PULL_REQUEST and event.head and not bases.holds(pipeline.platform, event.head):
        what = "the checked-out commit is not the newest commit of the pull request"
        why = f"the newest is {event.head[:12]}, but {pipeline.checked_out[:12] or 'no commit'} is checked out"
        todo = "check out the pull request; GitHub's pull_request_target checks out its base"
        raise UsageError(what, why=why, todo=todo)


def begin(
    pipeline: Pipeline, channel: Channel, environments: Sequence[str], trusted: Trust, request: ChangeRequest
) -> tuple[list[Resolved], CheckedChange]:
    """Return the environments to plan and what the change does; their comments and statuses are pending then.

    What is wrong is told to people before it is raised.
    """
    try:
        resolved = start(pipeline, environments, request.since)
        change = examine(pipeline, resolved, trusted, request)
    except NgpError as error:
        channel.begin(())
        pipeline.fail(channel, error.findings)
        raise
    channel.target = change.target
    chosen = [one for one in resolved if change.narrowed is None or change.narrowed.names(one.environment.name)]
    channel.begin([one.environment.name for one in chosen], change.expected)
    return chosen, change


def start(pipeline: Pipeline, environments: Sequence[str], since: str) -> list[Resolved]:
    """Return the environments to look at, all without names; bundles that an earlier pipeline left are deleted.

    Raises UsageError for all that is wrong in them, and for what the change breaks in them.
    """
    pipeline.require_platform()
    require_head(pipeline)
    known = documents.names(pipeline.platform)
    names = list(dict.fromkeys(environments or known))
    for name in known:
        if name in names:
            pipeline.drop_bundle(name)
    resolved, wrong = resolving.collect(pipeline.platform, names)
    if wrong:
        require(dict.fromkeys([*wrong, *breaks(pipeline, names, since)]))
    return list(resolved)


def examine(pipeline: Pipeline, resolved: Sequence[Resolved], trusted: Trust, request: ChangeRequest) -> CheckedChange:
    """Compare with the base. Raises NgpError where nothing says what changed.

    A plan of everything widens only the choice of units: a change that is not merged must not choose its own rules.
    """
    tier, why = trusted
    platform, is_whole = pipeline.platform, request.is_whole and tier is Tier.MEMBER
    everywhere = tuple(documents.names(platform)) if is_whole else ()
    if is_whole and not pipeline.event.is_before_merge:
        return CheckedChange(tier, why, None, is_whole=True, expected=everywhere)
    from ngp.review import baseline, contracts

    base, target = _base(pipeline, may_fetch=tier is Tier.MEMBER)
    named = request.since or _parted(pipeline, base, may_fetch=tier is Tier.MEMBER)
    found = narrowing.collect(platform, resolved, named)
    if not is_whole:
        request.emit(found)
    flags = tiers.flags(platform.path, found.changed)
    found = locations.of_affected(found, pipeline.prefix)
    names = [one.environment.name for one in resolved]
    broken = contracts.compare(platform, baseline.load(platform, named), names).broken
    pipeline.annotate(flags, "warning")
    for one in flags:
        pipeline.say(f"review this: {one}")
    expected = everywhere or tuple({one.environment for one in found.units} | _others(platform, names, named))
    rules = bases.rules(platform, base, found.commit)
    breaks = tuple((one.environment, one.finding) for one in broken)
    return CheckedChange(tier, why, found, rules, is_whole, expected, flags, breaks, target)


def _parted(pipeline: Pipeline, base: str, *, may_fetch: bool) -> str:
    """Return the commit to compare with; warn where a shallow clone does not tell where the branch left its base."""
    platform = pipeline.platform
    found = bases.find(platform, base, may_fetch=may_fetch, say=pipeline.say)
    if found and found == base and bases.is_shallow(platform) and not bases.holds(platform, base):
        pipeline.warn(
            "this clone is shallow, so what others merged since counts as changed; "
            "set `fetch-depth: 0` in the checkout step (GitLab: `GIT_DEPTH: 0`)"
        )
    return found


def _base(pipeline: Pipeline, *, may_fetch: bool) -> tuple[str, str]:
    """Return the newest commit of the branch that a change goes into, and that branch.

    Where no branch is known, the commit is the base that the event names; "" for none.

    Raises ForgeError where a comment's pull request cannot be read: it is held to the policies of its base.
    """
    event = pipeline.event
    base, target = event.base, event.target
    if event.kind is EventKind.COMMENT and event.number:
        pull = pipeline.forge.pull_request(event.number)
        base, target = pull.base, pull.target
    if target:
        base = bases.target(pipeline.platform, target, base, may_fetch=may_fetch, say=pipeline.say)
    return base, target


def breaks(pipeline: Pipeline, names: Collection[str], since: str) -> list[Finding]:
    """Return what the change breaks in environments that do not resolve, as far as Git and the files show."""
    from ngp.review import baseline, contracts

    platform, may_fetch = pipeline.platform, not pipeline.event.is_fork
    try:
        base = since or _base(pipeline, may_fetch=may_fetch)[0]
        named = since or bases.find(platform, base, may_fetch=may_fetch, may_deepen=False)
        return [one.finding for one in contracts.compare(platform, baseline.load(platform, named), names).broken]
    except NgpError:
        return []  # what is wrong is told all the same


def _others(platform: Platform, names: Collection[str], since: str) -> set[str]:
    """Return the environments besides `names` that the change affects: other jobs plan them.

    One that does not resolve counts: its own job says what is wrong with it.
    """
    rest = [name for name in documents.names(platform) if name not in names]
    resolved, _ = resolving.collect(platform, rest)
    found = narrowing.collect(platform, resolved, since).units if resolved else ()
    return {one.environment for one in found} | (set(rest) - {one.environment.name for one in resolved})


def check(pipeline: Pipeline, resolved: Resolved, change: CheckedChange) -> list[Finding]:
    """Return what is wrong before Terraform starts: stale files, refused values, broken contracts."""
    tree = trees.collect(pipeline.platform, [resolved.environment.name])
    stale = (*tree.staleness.changes, *tree.staleness.orphaned)
    found = [
        Finding("a rendered file is stale", str(path), todo=f"run `{tree.command}`, then commit") for path in stale
    ]
    found += wiring.check_counts(resolved.environment, resolved.catalogue)
    found += acceptance.check(resolved)
    found += [finding for environment, finding in change.broken if environment == resolved.environment.name]
    return list(dict.fromkeys(found))
