"""Makes a bundle: plans without locks, and puts the plan and everything that it was made from into one file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ngp
from ngp.runs import copies, losses, preview
from ngp.runs.bundle import archive, authors, facts, portable, reviews, sealing, statement
from ngp.runs.bundle.archive import Archive, Content
from ngp.runs.bundle.reviews import Reviewed
from ngp.runs.bundle.sealing import Recipient
from ngp.runs.bundle.statement import StateFact, Statement, UnitFact
from ngp.runs.context import RunContext
from ngp.runs.joint.composition import Joint
from ngp.runs.joint.planning import Planned
from ngp.runs.results import RunResult, Verb
from ngp.terraform.plans import Action, Plan

EXPIRES = timedelta(hours=24)
PLAN, STATE, REVIEW = "plan.bin", "state.json", "review.json"
TREE = "tree/"
_IDLE = frozenset({Action.NO_OP, Action.READ})


@dataclass(frozen=True)
class Order:
    """What kind of bundle is wanted. `out` is its file; nothing is written where the plan fails."""

    out: Path
    expires: timedelta = EXPIRES
    recipients: tuple[Recipient, ...] = ()  # who can open what holds values; () leaves it readable
    maker_key: str = ""  # fingerprint of the key that the maker is going to sign with


@dataclass(frozen=True)
class Planning:
    """A plan that becomes a bundle. Its shadow tree is still there; `alone` are the plans of units that go apart."""

    verb: Verb
    result: RunResult
    planned: Planned
    alone: Mapping[str, Plan | None]


def make(context: RunContext, made: Planning, order: Order) -> Archive:
    """Write the bundle of a plan.

    Raises RefusedError (3) for a plan that names a folder of this machine, or that loses data without an agreement.
    """
    losses.require_none(context.resolved, made.result.changes, context.request.may_lose_data)
    units = {one.unit: Reviewed(one, _plan(one.unit, made)) for one in made.result.units}
    portable.require(context, units.values())
    content = {name: one for name, one in _content(made.planned.joint, units)}
    members = {name: one.member(name) for name, one in content.items()}
    stated = replace(_state(context, made.verb, units, made.planned, order), members=members)
    text = statement.dump(stated)
    archive.write(order.out, text, sealing.seal(text, content, order.recipients) if order.recipients else content)
    return archive.read(order.out)


def _plan(unit: str, made: Planning) -> Plan | None:
    """The plan of a unit. Of a destruction that goes by itself only its result is known, which shows all of it."""
    found = made.planned.parts.get(unit) or made.alone.get(unit)
    if found is None and made.verb is Verb.DESTROY:
        result = next(one for one in made.result.units if one.unit == unit)
        return Plan(result.changes, result.outputs, invocations=result.invocations)
    return found


def _content(joint: Joint | None, units: Mapping[str, Reviewed]) -> Iterator[tuple[str, Content]]:
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


def _state(context: RunContext, verb: Verb, units: Mapping[str, Reviewed], planned: Planned, order: Order) -> Statement:
    resolved, environment = context.resolved, context.resolved.environment
    now = datetime.now(UTC).replace(microsecond=0)
    sources = facts.sources(resolved, {name: context.units[name] for name in units})
    stated = {name: _unit(context, name, one, planned, sources[name]) for name, one in units.items()}
    digests = {path: digest for one in sources.values() for path, digest in one.files.items()}
    git = authors.look(resolved.platform)
    return Statement(
        verb.value,
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
        facts.binary(context.terraform.binary),
        facts.lock(resolved.platform.path),
        planned.joint.lineage if planned.joint else "",
        git.commit,
        context.request.units,
        context.request.options.words(),
        context.request.may_lose_data,
        stated,
        _outside(context),
        digests,
        maker_key=order.maker_key,
    )


def _unit(context: RunContext, name: str, reviewed: Reviewed, planned: Planned, made_from: facts.Sources) -> UnitFact:
    unit, session = context.units[name], context.access.session
    platform = context.resolved.platform.path
    joint = planned.joint
    if joint is not None and name in joint.units:
        held = joint.documents.get(name) or {}
        where = facts.place(unit.place, platform)
        stored = joint.stored[name]
        state = StateFact(where, str(held.get("lineage", "")), int(held.get("serial", -1)), stored.version)
    else:
        state = facts.state(unit.place, session, platform)
    changes: dict[str, tuple[str, ...]] = {}
    for change in reviewed.result.changes:
        changes[change.action.value] = (*changes.get(change.action.value, ()), change.address)
    return UnitFact(
        reviewed.result.module,
        planned.apart.get(name, ""),
        made_from.root,
        made_from.modules,
        made_from.values,
        made_from.wiring,
        state,
        facts.secret_versions(unit.secrets, session),
        changes,
    )


def _outside(context: RunContext) -> dict[str, StateFact]:
    """The states of units that are not part of the plan and whose outputs are used."""
    chosen = context.needs.keys()
    feeding = {wire.origin.unit for name in chosen for wire in context.units[name].wires} - chosen
    platform, session = context.resolved.platform.path, context.access.session
    return {name: facts.state(context.units[name].place, session, platform) for name in sorted(feeding)}
