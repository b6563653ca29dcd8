"""Verifies a bundle against the current files, values, states, program and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ngp
from ngp.aws.session import Session
from ngp.errors import Finding, NgpError, StaleError, UsageError
from ngp.rendering import staleness
from ngp.runs import units as all_units
from ngp.runs.bundle import facts
from ngp.runs.bundle.statement import SecretFact, StateFact, Statement
from ngp.runs.bundle.uses import Uses
from ngp.runs.units import Unit
from ngp.terraform import binary
from ngp.terraform.binary import Binary

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.settings import Settings

_AGAIN = "make a new bundle: ngp plan {} --out FILE"
_SKEW = timedelta(minutes=5)  # tolerance between two machines' clocks


@dataclass(frozen=True)
class LocalFacts:
    """The current facts that a bundle is verified against."""

    resolved: Resolved
    session: Session
    binary: Binary
    now: datetime

    @classmethod
    def of(cls, resolved: Resolved, session: Session, binary: Binary) -> LocalFacts:
        return cls(resolved, session, binary, datetime.now(UTC))


def verify(statement: Statement, digest: str, resolved: Resolved, session: Session, settings: Settings) -> None:
    """Raise StaleError (4) if the bundle was applied, the roots are not rendered, or anything changed since.

    Starts and locks nothing.
    """
    platform = resolved.platform
    found = binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )
    Uses.of(resolved, session).require_none(digest)
    try:
        staleness.require_rendered(resolved)
    except UsageError as error:
        raise StaleError(error.findings) from error
    require_same(statement, LocalFacts.of(resolved, session, found))


def require_same(statement: Statement, here: LocalFacts) -> None:
    """Raise StaleError (4) with everything that changed since the bundle was made."""
    found = list(find(statement, here))
    if found:
        raise StaleError(found)


def require_valid(statement: Statement, here: LocalFacts, *, is_bound: bool) -> None:
    """Raise StaleError (4) for problems that a new plan cannot fix: the time, the place, the tools.

    With `is_bound`, files, values, wiring, secrets and units must be the approved ones too: only states may differ.
    """
    again = _AGAIN.format(statement.environment)
    moved = [*_clock(statement, here.now), *_place(statement, here.resolved), *_tools(statement, here)]
    if is_bound and not moved:
        moved += _content(statement, here)
    if moved:
        raise StaleError([replace(one, todo=again) for one in moved])


def find(statement: Statement, here: LocalFacts) -> Iterator[Finding]:
    """Yield everything that changed since the bundle was made."""
    again = _AGAIN.format(statement.environment)
    for one in _all(statement, here):
        yield replace(one, todo=again)


def find_other_files(statement: Statement, resolved: Resolved) -> Iterator[Finding]:
    """Yield differences in place, units and files; states and time do not count."""
    moved = list(_place(statement, resolved)) or _files(statement, resolved)
    for one in moved:
        yield replace(one, todo=_AGAIN.format(statement.environment))


def _all(statement: Statement, here: LocalFacts) -> Iterator[Finding]:
    yield from _clock(statement, here.now)
    foreign = list(_place(statement, here.resolved))
    yield from foreign
    yield from _tools(statement, here)
    if not foreign:  # another environment has other files and states
        yield from _content(statement, here)
        yield from _states(statement, here, all_units.collect(here.resolved))


def _clock(statement: Statement, now: datetime) -> Iterator[Finding]:
    if now > statement.expires:
        yield Finding(
            f"the bundle expired at {statement.expires:%Y-%m-%d %H:%M} UTC", why="real resources may have changed since"
        )
    if now < statement.created - _SKEW:
        yield Finding(
            f"the bundle was made at {statement.created:%Y-%m-%d %H:%M} UTC, but it is {now:%Y-%m-%d %H:%M} here",
            why="one of the two clocks is wrong, so ngp cannot check when the bundle expires",
        )


def _place(statement: Statement, resolved: Resolved) -> Iterator[Finding]:
    environment = resolved.environment
    pairs = {
        "platform": (statement.platform, resolved.platform.name),
        "environment": (statement.environment, environment.name),
        "target": (statement.target, environment.target.value),
        "account": (statement.account, environment.account),
        "region": (statement.region, environment.region),
    }
    for name, (stated, now) in pairs.items():
        if stated != now:
            yield Finding(f"the bundle is for the {name} {stated}, but this is {now}")


def _tools(statement: Statement, here: LocalFacts) -> Iterator[Finding]:
    if statement.ngp != ngp.__version__:
        yield Finding(
            f"ngp {statement.ngp} made the bundle, but this is ngp {ngp.__version__}", why="they may act differently"
        )
    stated, now = statement.terraform, facts.binary(here.binary)
    if (stated.flavour, stated.version) != (now.flavour, now.version):
        yield Finding(
            f"{stated.flavour} {stated.version} made the plan, but this machine has {now.flavour} {now.version}"
        )
    elif stated.digest != now.digest:
        yield Finding(
            f"the {now.flavour} {now.version} here is not the program that made the plan", why="its digest differs"
        )
    if statement.lock != facts.lock(here.resolved.platform.path):
        what, why = "this file changed since the bundle was made", "it may select other providers"
        yield Finding(what, ".terraform.lock.hcl", why)


def _content(statement: Statement, here: LocalFacts) -> Iterator[Finding]:
    yield from _files(statement, here.resolved)
    for name, unit in all_units.collect(here.resolved).items():
        if name in statement.units:
            now = facts.secret_versions(unit.secrets, here.session)
            yield from _secrets(name, statement.units[name].secrets, now)


def _files(statement: Statement, resolved: Resolved) -> Iterator[Finding]:
    known = all_units.collect(resolved)
    stated, chosen = statement.units.keys(), statement.chosen
    for name in sorted(stated - known.keys()):
        yield Finding(f"the unit `{name}` was removed or renamed", why="the bundle contains it")
    if not chosen and statement.verb != "destroy":
        for name in sorted(known.keys() - stated):
            yield Finding(
                f"the unit `{name}` was added", why="the bundle is for the whole environment but does not contain it"
            )
    there = {name: known[name] for name in sorted(stated & known.keys())}
    yield from _sources(statement, resolved, there)


def _sources(statement: Statement, resolved: Resolved, there: Mapping[str, Unit]) -> Iterator[Finding]:
    now = facts.sources(resolved, there)
    files = {path: digest for one in now.values() for path, digest in one.files.items()}
    stated = statement.files if there.keys() == statement.units.keys() else {}  # else a unit's files went with it
    for path in sorted(files.keys() | stated.keys()):
        if path not in files:
            yield Finding("this file was removed since the bundle was made", path)
        elif path not in statement.files:
            yield Finding("this file was added since the bundle was made", path)
        elif files[path] != statement.files[path]:
            yield Finding("this file changed since the bundle was made", path)
    for name, one in now.items():
        if statement.units[name].wiring != one.wiring:
            yield Finding(f"the wiring of `{name}` changed", why="its inputs come from other outputs")


def _states(statement: Statement, here: LocalFacts, known: Mapping[str, Unit]) -> Iterator[Finding]:
    stated = {**statement.outside, **{name: one.state for name, one in statement.units.items()}}
    units = [known[name] for name in stated if name in known]
    now = facts.all_states(units, here.session, here.resolved.platform.path)
    for name, found in now.items():
        more = " (whose outputs this plan uses)" if name in statement.outside else ""
        if isinstance(found, NgpError):
            yield Finding(f"cannot read the state of `{name}`{more}", why=str(found))
        elif found != stated[name]:
            yield Finding(
                f"the state of `{name}`{more} {_moved(stated[name], found)}",
                why="the plan was made over an earlier state",
            )


def _moved(stated: StateFact, now: StateFact) -> str:
    if stated.place != now.place:
        return f"was at {stated.place}, but is now expected at {now.place}"
    if now.serial < 0 <= stated.serial:
        return "is gone"
    if stated.serial < 0 <= now.serial:
        return f"exists now, with serial {now.serial}"
    if stated.lineage != now.lineage:
        return "was replaced by another one: its lineage differs"
    if stated.serial != now.serial:
        return f"changed from serial {stated.serial} to {now.serial}"
    return f"was written again with serial {now.serial}"


def _secrets(unit: str, stated: Mapping[str, SecretFact], now: Mapping[str, SecretFact]) -> Iterator[Finding]:
    for name in sorted(stated.keys() | now.keys()):
        before, after = stated.get(name), now.get(name)
        if before == after:
            continue
        if before is None or after is None or before.reference != after.reference:
            yield Finding(f"the secret input `{name}` of `{unit}` has another reference")
        else:
            yield Finding(f"the secret {after.reference} for `{name}` of `{unit}` has a new version")
