"""Makes a bundle: one file with a plan and everything that it was made from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ngp
from ngp.errors import NgpError, StaleError
from ngp.runs import copies, data_loss, preview
from ngp.runs.bundle import archive, authors, facts, portable, reviews, sealing, statement
from ngp.runs.bundle.archive import Archive, Content
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.sealing import Recipient
from ngp.runs.bundle.statement import StateFact, Statement, UnitFact
from ngp.runs.context import RunContext
from ngp.runs.joint.composition import Joint
from ngp.runs.joint.planning import JointPlan
from ngp.runs.results import RunResult, UnitResult, Verb
from ngp.terraform.plans import Plan

PLAN, STATE, REVIEW = "plan.bin", "state.json", "review.json"
TREE = "tree/"


@dataclass(frozen=True)
class BundleOrder:
    """Options of a new bundle. `out` is its file, which is not written if the plan fails."""

    out: Path
    expires: timedelta
    recipients: tuple[Recipient, ...] = ()  # who can decrypt the members with values; () does not encrypt them
    maker_key: str = ""  # fingerprint of the maker's key


@dataclass(frozen=True)
class Planning:
    """A plan that becomes a bundle. Its shadow tree still exists; `alone` are the plans of separate units."""

    verb: Verb
    result: RunResult
    planned: JointPlan
    alone: Mapping[str, Plan | None]


def take_snapshot(context: RunContext) -> facts.Snapshot:
    """Return a snapshot of everything that the plan of a run will be made from."""
    chosen = {name: context.units[name] for name in context.needs}
    feeding = {wire.origin.unit for unit in chosen.values() for wire in unit.wires}
    units = [context.units[name] for name in sorted(chosen.keys() | feeding)]
    platform, session = context.resolved.platform.path, context.access.session
    return facts.Snapshot(
        facts.sources(context.resolved, chosen),
        facts.all_states(units, session, platform),
        facts.lock(platform),
        facts.binary(context.terraform.binary),
        {name: facts.secret_versions(unit.secrets, session) for name, unit in chosen.items()},
    )


def _require_same(before: facts.Snapshot, now: facts.Snapshot, joint: Joint | None) -> None:
    """Raise StaleError (4) if something changed during planning."""
    read = {name: one.version for name, one in joint.stored.items()} | dict(joint.outside) if joint else {}
    moved = [name for name in before.sources if before.sources[name] != now.sources.get(name)]
    moved += [f"the state of {name}" for name, one in before.states.items() if _is_other(one, now.states.get(name))]
    moved += [f"the state of {name}" for name, version in read.items() if version != _known(name, before).version]
    moved += [f"a secret of {name}" for name in before.secrets if before.secrets[name] != now.secrets.get(name)]
    moved += [".terraform.lock.hcl"] if before.lock != now.lock else []
    moved += ["the Terraform binary"] if before.binary != now.binary else []
    if moved:
        raise StaleError(f"this changed during the plan: {', '.join(moved)}", todo="run the command again")


def _is_other(before: StateFact | NgpError, now: StateFact | NgpError | None) -> bool:
    return before != now if isinstance(before, StateFact) else not isinstance(now, NgpError)


def make(context: RunContext, made: Planning, order: BundleOrder, before: facts.Snapshot) -> Archive:
    """Write the bundle of a plan. `before` is the snapshot that `look` took before.

    Raises StaleError (4) for changes since then, RefusedError (3) for a plan that names a folder of this machine or
    loses data without consent.
    """
    _require_same(before, take_snapshot(context), made.planned.joint)
    data_loss.require_none(context.resolved, made.result.changes, context.request.may_lose_data)
    units = {one.unit: ReviewedUnit(one, _plan(one.unit, made)) for one in made.result.units}
    portable.require(context, units.values())
    content = dict(_content(made.planned.joint, units))
    members = {name: one.member(name) for name, one in content.items()}
    stated = replace(_state(context, made, units, before, order), members=members)
    text = statement.dump(stated)
    archive.write(order.out, text, sealing.seal(text, content, order.recipients) if order.recipients else content)
    return archive.read(order.out)


def _plan(unit: str, made: Planning) -> Plan | None:
    """Return the plan of a unit. For a separate destroy only its result is known, which shows everything."""
    found = made.planned.parts.get(unit) or made.alone.get(unit)
    if found is None and made.verb is Verb.DESTROY:
        result = next(one for one in made.result.units if one.unit == unit)
        return Plan(result.changes, result.outputs, invocations=result.invocations)
    return found


def _content(joint: Joint | None, units: Mapping[str, ReviewedUnit]) -> Iterator[tuple[str, Content]]:
    yield REVIEW, Content(reviews.dump(units))
    if joint is None:
        return
    if joint.plan.is_file():
        yield PLAN, Content(path=joint.plan)
    yield STATE, Content(joint.state.encode())
    folders = [joint.root.path, *map(joint.tree.path, _modules(joint))]
    left_out = {joint.root.path / preview.STATE, joint.plan}
    for folder in folders:
        for path in sorted(_files(folder)):
            if path not in left_out:
                yield f"{TREE}{path.relative_to(joint.tree.folder)}", Content(path=path)


def _modules(joint: Joint) -> list[Path]:
    return copies.closure(source for unit in joint.units.values() for source in unit.sources.values())


def _files(folder: Path) -> Iterator[Path]:
    for above, below, names in os.walk(folder):
        here = Path(above)
        links = [name for name in below if (here / name).is_symlink()]
        below[:] = [name for name in below if name not in links and name != ".terraform"]
        yield from (here / name for name in (*links, *names) if ".tfstate" not in name)


def _state(
    context: RunContext, made: Planning, units: Mapping[str, ReviewedUnit], snapshot: facts.Snapshot, order: BundleOrder
) -> Statement:
    resolved, environment = context.resolved, context.resolved.environment
    now = datetime.now(UTC).replace(microsecond=0)
    stated = {name: _unit(name, one, made.planned, snapshot) for name, one in units.items()}
    digests = {path: digest for name in units for path, digest in snapshot.sources[name].files.items()}
    git = authors.collect(resolved.platform)
    return Statement(
        made.verb.value,
        context.run_id,
        resolved.platform.name,
        environment.name,
        environment.target.value,
        environment.account,
        environment.region,
        git.maker,
        now,
        now + order.expires,
        ngp.__version__,
        snapshot.binary,
        snapshot.lock,
        made.planned.joint.lineage if made.planned.joint else "",
        git.commit,
        context.request.units,
        context.request.options.words(),
        context.request.may_lose_data,
        stated,
        {name: _known(name, snapshot) for name in sorted(snapshot.states.keys() - context.needs.keys())},
        digests,
        maker_key=order.maker_key,
    )


def _unit(name: str, reviewed: ReviewedUnit, planned: JointPlan, snapshot: facts.Snapshot) -> UnitFact:
    made_from = snapshot.sources[name]
    return UnitFact(
        reviewed.result.module,
        planned.apart.get(name, ""),
        made_from.root,
        made_from.modules,
        made_from.values,
        made_from.wiring,
        _known(name, snapshot),
        snapshot.secrets[name],
        addresses(reviewed.result),
    )


def _known(name: str, snapshot: facts.Snapshot) -> StateFact:
    """Return a state as it was planned over."""
    found = snapshot.states[name]
    if isinstance(found, NgpError):
        raise found
    return found


def addresses(result: UnitResult) -> dict[str, tuple[str, ...]]:
    """Return the changed addresses, by action."""
    found: dict[str, tuple[str, ...]] = {}
    for change in result.changes:
        found[change.action.value] = (*found.get(change.action.value, ()), change.address)
    return found
