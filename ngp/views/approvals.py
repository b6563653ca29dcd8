"""Shows approvals: what a signature covers, and whether a bundle is approved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Counts, UnitResult
from ngp.views import changes, terminal

if TYPE_CHECKING:
    from ngp.runs.bundle.approvals import ApprovalStatus
    from ngp.runs.bundle.approving import Approved, Judgement
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.rules import Rules
    from ngp.runs.bundle.statement import Statement, UnitFact

_MOST_ADDRESSES = 20  # of one unit, beside those that are deleted, replaced or forgotten
_TIME = "%Y-%m-%d %H:%M UTC"
_LOSSES = ("delete", "replace", "forget")


def subject(bundle: Bundle, *, whole: bool = False) -> str:
    """Return what a person is about to sign. Losses are never cut; the rest is, unless `whole`."""
    from ngp.runs.bundle import sealing

    statement, units = bundle.statement, bundle.statement.units
    # of a sealed bundle no result is known, only what is stated
    results = {name: one.result for name, one in bundle.units.items() if not sealing.is_sealed(bundle.archive)}
    total = sum((_counts(fact) for fact in units.values()), Counts())
    left, maker = statement.expires - datetime.now(UTC), statement.maker or "somebody unknown"
    lines = [
        f"{statement.verb} {statement.environment}: target {statement.target}, account {statement.account}, "
        f"{statement.region}",
        f"  bundle {bundle.digest[:12]}, made by {maker} at {statement.created:{_TIME}}",
        f"  expires at {statement.expires:{_TIME}}, in {terminal.duration(max(left.total_seconds(), 0))}",
        *_origin(statement),
    ]
    shown = sorted(units, key=lambda name: not _loses(units[name]))
    idle = [name for name in shown if _is_idle(units[name], results.get(name))]
    for name in shown:
        if name not in idle:
            lines += _unit(name, units[name], results.get(name), whole=whole)
    lines += [f"  no changes to {', '.join(sorted(idle))}"] if idle else []
    return "\n".join([*lines, f"{terminal.amount(len(units), 'unit')}: {changes.summary(total) or 'no changes'}"])


def _origin(statement: Statement) -> Iterator[str]:
    """What the plan is of and was made with, as far as it is not what everybody expects."""
    commit = statement.commit
    dirty = " with uncommitted changes" if commit.is_dirty else ""
    authors = f" by {', '.join(commit.authors)}" if commit.authors else ""
    yield f"  commit {commit.id[:10] or 'unknown'}{dirty}{authors}"
    if commit.unknown:
        yield f"  ngp may not know all authors: {commit.unknown}"
    if statement.chosen:
        yield f"  only these units were selected: {', '.join(statement.chosen)}"
    if statement.options:
        yield f"  options: {' '.join(statement.options)}"
    if statement.may_lose_data:
        yield f"  may lose data: {', '.join(statement.may_lose_data)}"


def standing(found: ApprovalStatus, rules: Rules, environment: str) -> list[str]:
    """Return lines about whether the approvals suffice, and which do not count."""
    names = f" ({', '.join(found.by)})" if found.by else ""
    if not found.needed:
        lines = [f"nobody may approve bundles for `{environment}`: {rules.where} has no `approvals.{environment}`"]
    elif found.unknown:
        lines = [f"cannot be approved, because ngp does not know the authors of the change: {found.unknown}"]
    else:
        word = "approved" if found.is_approved else "not approved yet"
        lines = [f"{word}: {len(found.by)} of {terminal.amount(found.needed, 'approval')}{names}"]
    if found.missing and not (found.is_approved or found.unknown):
        lines.append(f"  may still approve: {', '.join(found.missing)}")
    return [*lines, *(f"  signature of {vote.who} does not count: {vote.why}" for vote in found.votes if vote.why)]


def standing_document(found: ApprovalStatus, rules: Rules) -> dict[str, Any]:
    """Return the same as part of a JSON document."""
    return {
        "approved": found.is_approved,
        "needed": found.needed,
        "by": found.by,
        "missing": found.missing,
        "votes": found.votes,
        "unknown": found.unknown,
        "rules": {"commit": rules.commit, "source": rules.source},
    }


def approval_document(file: str, bundle: Bundle, done: Approved, found: Judgement | None) -> dict[str, Any]:
    """``ngp.bundle.approve/1``; `standing` is null where the rules cannot be read."""
    return {
        "schema": "ngp.bundle.approve/1",
        "file": file,
        "digest": bundle.digest,
        "environment": bundle.statement.environment,
        "verb": bundle.statement.verb,
        "key": str(done.key),
        "added": done.is_new,
        "standing": standing_document(found.standing, found.rules) if found else None,
    }


def approval(file: str, bundle: Bundle, done: Approved, found: Judgement | None) -> str:
    """Return lines about what was signed, and whether it suffices."""
    before = f"{done.key} has signed {file} before, so nothing was added"
    said = f"signed {file} with {done.key}" if done.is_new else before
    lines = standing(found.standing, found.rules, bundle.statement.environment) if found else []
    return "\n".join([said, *lines])


def authority(found: Authority) -> str:
    """Return the line with the authority of a change."""
    people = ", ".join(found.by)
    if found.kind is AuthorityKind.EMERGENCY:
        return f"emergency: {people} changes this without an approved bundle: {found.reason}"
    made = f", made by {found.maker}" if found.maker else ""
    return f"approved by {people}{f' (bundle {found.bundle[:12]}{made})' if found.bundle else ''}"


def _unit(name: str, fact: UnitFact, result: UnitResult | None, *, whole: bool) -> Iterator[str]:
    parts = [changes.summary(_counts(fact)), *_outcome(fact, result)]
    yield f"  {name}: {'; '.join(one for one in parts if one) or 'no changes'}"
    for secret, one in fact.secrets.items():
        yield f"    secret {secret} from {one.reference}{f' (version {one.version})' if one.version else ''}"
    actions = sorted(fact.changes, key=lambda action: _LOSSES.index(action) if action in _LOSSES else len(_LOSSES))
    lost = [f"    {action} {one}" for action in actions if action in _LOSSES for one in fact.changes[action]]
    rest = [f"    {action} {one}" for action in actions if action not in _LOSSES for one in fact.changes[action]]
    yield from lost
    yield from rest if whole else rest[:_MOST_ADDRESSES]
    if (more := len(rest) - _MOST_ADDRESSES) > 0 and not whole:
        yield f"    and {more} more (--all shows them)"


def _outcome(fact: UnitFact, result: UnitResult | None) -> Iterator[str]:
    """Yield how far the plan of a unit is known, if not completely."""
    if result is not None and result.outcome is Outcome.DEFERRED:
        yield f"no preview, so its changes are unknown: {result.reason or fact.apart}"
    elif fact.apart and result is None and not fact.changes:
        yield f"ngp plans it again at apply, and the readable part does not list its changes: {fact.apart}"
    elif fact.apart:
        yield f"ngp plans it again at apply and allows no more than this: {fact.apart}"
    if result is not None and not fact.changes and result.outcome is Outcome.PLANNED:
        yield "only outputs change"


def _is_idle(fact: UnitFact, result: UnitResult | None) -> bool:
    """Whether nothing is to be said of a unit but its name."""
    return not (fact.changes or fact.apart or fact.secrets or any(_outcome(fact, result)))


def _loses(fact: UnitFact) -> bool:
    return any(fact.changes.get(action) for action in _LOSSES)


def _counts(fact: UnitFact) -> Counts:
    known = {action: len(found) for action, found in fact.changes.items() if action in Counts.__dataclass_fields__}
    return Counts(**known)
