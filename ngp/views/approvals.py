"""Show approvals: what a signature would be over, and how far a bundle is approved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ngp.runs.authority import Authority, Kind
from ngp.runs.results import Counts
from ngp.views import changes, terminal

if TYPE_CHECKING:
    from ngp.runs.bundle.approvals import Standing
    from ngp.runs.bundle.rules import Rules
    from ngp.runs.bundle.statement import Statement, UnitFact

_MOST_ADDRESSES = 20  # of one unit
_TIME = "%Y-%m-%d %H:%M UTC"


def subject(statement: Statement, digest: str, now: datetime | None = None) -> list[str]:
    """Return the lines that tell a person what they are about to sign."""
    units = statement.units
    total = sum((_counts(fact) for fact in units.values()), Counts())
    left = statement.expires - (now or datetime.now(UTC))
    dirty = " with uncommitted changes" if statement.commit.is_dirty else ""
    authors = f" by {', '.join(statement.commit.authors)}" if statement.commit.authors else ""
    lines = [
        f"{statement.verb} {statement.environment}: target {statement.target}, account {statement.account}, "
        f"{statement.region}",
        f"  bundle {digest[:12]}, made by {statement.maker or 'nobody known'} at {statement.created:{_TIME}}",
        f"  expires at {statement.expires:{_TIME}}, in {terminal.duration(max(left.total_seconds(), 0))}",
        f"  commit {statement.commit.id[:10] or 'unknown'}{dirty}{authors}",
    ]
    for name, fact in units.items():
        lines += _unit(name, fact)
    return [*lines, f"{terminal.amount(len(units), 'unit')}: {changes.summary(total) or 'no changes'}"]


def standing(found: Standing, rules: Rules, environment: str) -> list[str]:
    """Return the lines that say whether the approvals suffice, and which do not count."""
    names = f" ({', '.join(found.by)})" if found.by else ""
    if not found.needed:
        lines = [f"nobody may approve bundles for `{environment}`: {rules.where} has no `approvals.{environment}`"]
    else:
        word = "approved" if found.is_approved else "not approved yet"
        lines = [f"{word}: {len(found.by)} of {terminal.amount(found.needed, 'approval')}{names}"]
    if found.missing and not found.is_approved:
        lines.append(f"  may still approve: {', '.join(found.missing)}")
    return [*lines, *(f"  does not count: {vote.who}: {vote.why}" for vote in found.votes if vote.why)]


def standing_document(found: Standing, rules: Rules) -> dict[str, Any]:
    """Return the part of a JSON document that says the same."""
    return {
        "approved": found.is_approved,
        "needed": found.needed,
        "by": found.by,
        "missing": found.missing,
        "votes": found.votes,
        "rules": {"commit": rules.commit, "source": rules.source},
    }


def authority(found: Authority) -> str:
    """Return the line that says what permits a change."""
    people = ", ".join(found.by)
    if found.kind is Kind.EMERGENCY:
        return f"emergency: {people} changes this without an approved bundle: {found.reason}"
    return f"approved by {people}"


def _unit(name: str, fact: UnitFact) -> list[str]:
    addresses = [(action, address) for action, found in fact.changes.items() for address in found]
    if not addresses:
        return []
    more = len(addresses) - _MOST_ADDRESSES
    lines = [f"  {name}: {changes.summary(_counts(fact))}{f' (apart: {fact.apart})' if fact.apart else ''}"]
    lines += [f"    {action} {address}" for action, address in addresses[:_MOST_ADDRESSES]]
    return [*lines, f"    and {more} more"] if more > 0 else lines


def _counts(fact: UnitFact) -> Counts:
    known = {action: len(found) for action, found in fact.changes.items() if action in Counts.__dataclass_fields__}
    return Counts(**known)
