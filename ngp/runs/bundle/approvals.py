"""Approvals of a bundle: signatures over its statement, counted by the approval rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ngp import files
from ngp.environments.approvals import same
from ngp.environments.environment import Approval
from ngp.errors import Finding, MissingError, StaleError
from ngp.runs.authority import Authority, AuthorityKind
from ngp.runs.bundle import archive, signatures
from ngp.runs.bundle import statement as statements
from ngp.runs.bundle.archive import Archive
from ngp.runs.bundle.rules import Rules
from ngp.runs.bundle.signatures import SigningKey
from ngp.runs.bundle.statement import Statement
from ngp.settings import Settings


@dataclass(frozen=True)
class Vote:
    """A signature of a bundle. `identity` is "" if no signer has this key; `why` is "" if the signature counts."""

    key: str  # fingerprint, "" if the signature cannot be read
    identity: str = ""
    why: str = ""

    @property
    def who(self) -> str:
        return self.identity or (f"the key {self.key}" if self.key else "an unknown key")


@dataclass(frozen=True)
class ApprovalStatus:
    """The approvals of a bundle. `missing` are those who may still approve; `needed` is 0 if nobody may.

    `unknown` says why the authors of the change are not known, in which case no approval suffices; else "".
    """

    votes: tuple[Vote, ...]
    needed: int
    missing: tuple[str, ...]
    unknown: str = ""

    @property
    def by(self) -> tuple[str, ...]:
        """The people whose approvals count, each once."""
        return tuple({same(vote.identity): vote.identity for vote in self.votes if not vote.why}.values())

    @property
    def is_approved(self) -> bool:
        return 0 < self.needed <= len(self.by) and not self.unknown


def examine(opened: Archive) -> Statement:
    """Return the statement of a bundle to sign. A sealed bundle stays sealed.

    Raises StaleError (4) if the bundle differs from its statement, or has expired.
    """
    stated = statements.load(opened.statement, str(opened.path))
    if opened.members.keys() != {archive.SEALED}:
        archive.require_stated(opened, stated.members)
    if stated.expires <= datetime.now(UTC):
        raise StaleError(
            f"the bundle expired at {stated.expires:%Y-%m-%d %H:%M} UTC",
            where=str(opened.path),
            todo="make a new one: ngp plan ENV --out FILE",
        )
    return stated


def approve(opened: Archive, key: SigningKey, settings: Settings) -> bool:
    """Sign the bundle's statement and add the signature to its file. Return False if this key has signed before.

    Raises StaleError (4) if the file was replaced by another bundle meanwhile, MissingError (69) if the key cannot
    sign.
    """
    signature = signatures.sign(opened.statement, key, settings)
    with changing(opened.path):
        now = archive.read(opened.path)  # somebody else may have approved meanwhile
        if now.digest != opened.digest:
            what, todo = "somebody replaced the bundle file with another bundle", "review the new one, then approve it"
            raise StaleError(what, where=str(opened.path), todo=todo)
        if has_signed(now, signatures.signer(signature).fingerprint, settings):
            return False
        archive.add_approval(now, signature)
    return True


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Lock the bundle's folder against other processes of this machine, so that no approval is lost.

    The lock is on the folder, because the file itself is replaced.
    """
    with files.lock_folder(path.parent.resolve()):
        yield


def sign_as_maker(opened: Archive, settings: Settings, cwd: Path, named: str = "") -> str:
    """Sign a new bundle as its maker. Return "", or a note if no key can sign.

    `named` is the key of --key, which must exist.
    """
    try:
        approve(opened, signatures.find(settings, cwd, named), settings)
    except MissingError as error:
        if named:
            raise
        return f"ngp could not sign the bundle as its maker: {error}"
    return ""


def maker_key(settings: Settings, cwd: Path, named: str = "") -> str:
    """Return the fingerprint of the key that `sign_as_maker` uses, "" if there is none."""
    try:
        return signatures.fingerprint(signatures.find(settings, cwd, named), settings)
    except MissingError:
        return ""


def has_signed(opened: Archive, fingerprint: str, settings: Settings) -> bool:
    """Return whether the bundle holds a valid signature by this key."""
    return any(
        _fingerprint(one) == fingerprint and signatures.is_intact(opened.statement, one, settings)
        for one in opened.approvals
    )


def collect(opened: Archive, statement: Statement, rules: Rules, settings: Settings) -> ApprovalStatus:
    """Check every signature of a bundle against the rules."""
    rule = rules.platform.approvals.get(statement.environment)
    votes = tuple(_vote(opened, one, statement, rules, settings) for one in opened.approvals)
    if rule is None:
        return ApprovalStatus(votes, 0, ())
    signed = {same(vote.identity) for vote in votes if not vote.why}
    missing = [one for one in rule.by if same(one) not in signed and not _exclusion(one, statement, rules, rule)]
    unknown = "" if rule.authors else statement.commit.unknown
    return ApprovalStatus(votes, rule.count, tuple(missing), unknown)


def require(opened: Archive, statement: Statement, rules: Rules, settings: Settings) -> Authority:
    """Return the authority that the approvals of a bundle give.

    Raises StaleError (4) if they do not suffice: with the number that is missing, who may approve, and why each other
    signature does not count.
    """
    if rules.platform.name != statement.platform:
        what = f"the bundle is for the platform `{statement.platform}`, but {rules.where} has `{rules.platform.name}`"
        raise StaleError(what, where=str(opened.path), todo="apply it in a clone of its own platform")
    standing = collect(opened, statement, rules, settings)
    if not standing.is_approved:
        raise StaleError(list(_explain(opened, statement, rules, standing)))
    return Authority(AuthorityKind.APPROVED, standing.by, rules.commit, bundle=opened.digest, maker=statement.maker)


def _vote(opened: Archive, signature: bytes, statement: Statement, rules: Rules, settings: Settings) -> Vote:
    key = _fingerprint(signature)
    identity = rules.holder(key) if key else ""
    if not identity:
        is_intact = bool(key) and signatures.is_intact(opened.statement, signature, settings)
        return Vote(key, why=f"{rules.where} lists no signer with this key" if is_intact else _BROKEN)
    if not signatures.verify(opened.statement, signature, identity, rules.keys(identity), settings):
        return Vote(key, identity, _BROKEN)
    return Vote(key, identity, _objection(identity, statement, rules))


_BROKEN = "the signature is not valid for this bundle"


def _objection(identity: str, statement: Statement, rules: Rules) -> str:
    """Return why a valid signature does not count, "" if it does."""
    rule = rules.platform.approvals.get(statement.environment)
    if rule is None or not _is_among(identity, rule.by):
        return f"{rules.where} does not allow this person to approve `{statement.environment}`"
    return _exclusion(identity, statement, rules, rule)


def _exclusion(identity: str, statement: Statement, rules: Rules, rule: Approval) -> str:
    """Return why approvals of this person do not count with any of their keys, "" if they do."""
    maker_by_key = rules.holder(statement.maker_key) if statement.maker_key else ""
    if _is_among(identity, (statement.maker, maker_by_key)) and not rule.maker:
        return "this person made the bundle"
    if not rule.authors and _is_among(identity, statement.commit.authors):
        return "this person wrote commits of the change"
    return ""


def _explain(opened: Archive, statement: Statement, rules: Rules, standing: ApprovalStatus) -> Iterable[Finding]:
    where, name = str(opened.path), statement.environment
    if not standing.needed:
        yield Finding(
            f"nobody may approve bundles for `{name}`",
            rules.where,
            f"it has no `approvals.{name}`",
            f"add people there, and merge the change into {rules.source}",
        )
    elif standing.unknown:
        yield Finding(
            f"nobody can approve the bundle for `{name}`, because ngp does not know the authors of the change",
            where,
            f"{standing.unknown}; {rules.where} does not allow authors to approve",
            "plan again in a clone that has the whole history (git fetch --unshallow) and reaches the remote",
        )
    else:
        had = f"it has {len(standing.by)} ({', '.join(standing.by)})" if standing.by else "it has none"
        yield Finding(
            f"the bundle for `{name}` is not approved: it needs {_amount(standing.needed)}, but {had}",
            where,
            f"by the rules in {rules.where} at commit {rules.commit[:10]}",
            _way_out(opened.path, standing),
        )
    for vote in standing.votes:
        if vote.why:
            yield Finding(f"the signature of {vote.who} does not count", where, vote.why)


def _way_out(path: Path, standing: ApprovalStatus) -> str:
    if len(standing.by) + len(standing.missing) < standing.needed:
        return "nobody else may approve it: ask somebody else to plan it, or change the rules in a reviewed commit"
    return f"ask {_either(standing.missing)} to run: ngp bundle approve {path.name}"


def _either(people: Sequence[str]) -> str:
    return " or ".join([", ".join(people[:-1]), people[-1]] if len(people) > 1 else people)


def _amount(number: int) -> str:
    return "1 approval" if number == 1 else f"{number} approvals"


def _is_among(identity: str, people: Iterable[str]) -> bool:
    return same(identity) in {same(one) for one in people}


def _fingerprint(signature: bytes) -> str:
    try:
        return signatures.signer(signature).fingerprint
    except ValueError:
        return ""
