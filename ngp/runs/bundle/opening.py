"""Opens a bundle for an apply: its plan replaces the one that the run would make."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ngp.environments import documents, platforms
from ngp.errors import Finding, NgpError, StaleError, UsageError
from ngp.runs import copies, destroying, planning, preview, reviewed_files
from ngp.runs.bundle import archive, facts, making, reviews, sealing, statement, verifying
from ngp.runs.bundle.archive import Archive
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.statement import Statement, UnitFact
from ngp.runs.bundle.uses import Uses
from ngp.runs.context import RunContext
from ngp.runs.envelope import surplus
from ngp.runs.expected_outputs import ExpectedOutputs
from ngp.runs.joint import choosing, composition, states
from ngp.runs.joint import planning as joint_planning
from ngp.runs.joint.composition import ApartError, Joint
from ngp.runs.joint.partition import Partition
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.state_locks import StateLocks
from ngp.runs.proposed import Propose, Proposed
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb, count
from ngp.terraform import driver
from ngp.terraform.plans import Action, Change, Plan


@dataclass(frozen=True)
class Bundle:
    """A bundle whose content matches its statement."""

    archive: Archive
    statement: Statement
    units: Mapping[str, ReviewedUnit]

    @property
    def digest(self) -> str:
        return self.archive.digest


def read(path: Path, unseal: Callable[[Archive], Archive] = lambda opened: opened) -> Bundle:
    """Open a bundle file. `unseal` decrypts a sealed one.

    Raises UsageError (64) if it is not a bundle, StaleError (4) if it is damaged.
    """
    opened = unseal(archive.read(path))
    stated = statement.load(opened.statement, str(path))
    archive.require_stated(opened, stated.members)
    try:
        units = reviews.load(opened.read(making.REVIEW))
    except (ValueError, KeyError, TypeError) as error:
        why = f"its plans cannot be read: {error}"
        raise StaleError("the bundle is damaged", where=str(path), why=why, todo="make a new one") from error
    _require_agreeing(path, stated, units)
    return Bundle(opened, stated, units)


def _require_agreeing(path: Path, stated: Statement, units: Mapping[str, ReviewedUnit]) -> None:
    """Raise StaleError (4) if the signed statement contradicts the plans that it covers."""
    wrong = sorted(stated.units.keys() ^ units.keys())
    for name in stated.units.keys() & units.keys():
        fact, result = stated.units[name], units[name].result
        if making.addresses(result) != fact.changes or result.module != fact.module:
            wrong.append(name)
    if wrong:
        raise StaleError(
            f"the statement of the bundle differs from its plans: {', '.join(wrong)}",
            where=str(path),
            why="people would sign something that ngp does not apply",
            todo="do not apply this bundle; make a new one",
        )


def read_statement(path: Path) -> Bundle:
    """Open a bundle file without decrypting it: for a sealed one, units and addresses come from the statement."""
    opened = archive.read(path)
    if not sealing.is_sealed(opened):
        return read(path)
    stated = statement.load(opened.statement, str(path))
    return Bundle(opened, stated, {name: _outline(name, one) for name, one in stated.units.items()})


def _outline(name: str, fact: UnitFact) -> ReviewedUnit:
    """Return a unit as the statement describes it: the action for each address, without values."""
    changes = tuple(
        Change(address, "", Action(action)) for action, addresses in fact.changes.items() for address in addresses
    )
    outcome = Outcome.PLANNED if changes else Outcome.NO_CHANGES
    plan = Plan(changes, {})
    return ReviewedUnit(UnitResult(name, fact.module, 1, outcome, count(plan), changes), plan)


def open_in(bundle: Bundle, context: RunContext, held: StateLocks) -> Proposed:
    """Verify a bundle under the run's locks, and extract its plan. Nothing is planned again.

    Raises StaleError (4) with everything that changed.
    """
    used = require_applicable(bundle, context)
    known = planning.expect_outputs(context)
    for name, one in bundle.units.items():
        known.put(name, one.plan)
    planned = _planned(bundle, context, held, known)
    held.note_plan(planned)
    seen = reviewed_files.ReviewedFiles.collect((context.units[name] for name in planned.apart), known)
    units = {name: replace(one.result, log=context.log_name(name)) for name, one in bundle.units.items()}
    units |= planned.results
    if bundle.statement.verb == Verb.DESTROY.value:
        units |= _fitting(bundle, destroying.plan_apart(context, planned))
    previews = planning.collect(context, Verb(bundle.statement.verb), units, 0.0)
    return Proposed(planned, previews, lambda: used.note(bundle.digest, context.run_id), seen)


def require_applicable(bundle: Bundle, context: RunContext) -> Uses:
    """Return the record of uses for the bundle. Raises StaleError (4) if it was applied, or anything changed."""
    used = _uses(context)
    used.require_none(bundle.digest)
    here = verifying.LocalFacts.of(context.resolved, context.access.session, context.terraform.binary)
    verifying.require_same(bundle.statement, here)
    return used


def complete(bundle: Bundle, context: RunContext) -> None:
    """Record that the run applied the whole bundle, so that applying it again does nothing."""
    _uses(context).complete(bundle.digest, context.run_id)


def _uses(context: RunContext) -> Uses:
    unit = next(iter(context.units.values()))
    encryption = choosing.encryption(unit, is_own_template=choosing.has_own_versions(context))
    return Uses.of(context.resolved, context.access.session, encryption)


def plan_again(bundle: Bundle, plan_now: Propose, context: RunContext, held: StateLocks) -> Proposed:
    """Make a new plan that replaces a stale bundle, which then counts as applied; open one that is not stale.

    Raises StaleError (4) for a bundle that is expired, or for another place or tool. In a protected environment only
    the states may have changed.
    """
    used = _uses(context)
    used.require_none(bundle.digest)
    here = verifying.LocalFacts.of(context.resolved, context.access.session, context.terraform.binary)
    verifying.require_valid(bundle.statement, here, is_bound=context.request.authority is not None)
    if not any(verifying.find(bundle.statement, here)):
        return open_in(bundle, context, held)
    return replace(plan_now(context, held), begin=lambda: used.note(bundle.digest, context.run_id))


def _fitting(bundle: Bundle, plans: Mapping[str, UnitResult]) -> Mapping[str, UnitResult]:
    """Return the new plans of units that are destroyed separately. Raises StaleError if one exceeds what was shown."""
    more = [
        Finding(f"`{name}` would lose more than the bundle shows: {one}", todo="make a new bundle")
        for name, result in plans.items()
        for one in surplus(bundle.units[name].result.changes, result.changes)
    ]
    if more:
        raise StaleError(more)
    return plans


def _planned(bundle: Bundle, context: RunContext, held: StateLocks, known: ExpectedOutputs) -> JointPlan:
    stated = {name: one for name, one in bundle.statement.units.items() if name in context.needs}
    apart = {name: one.apart for name, one in stated.items() if one.apart}
    joined = [name for name in context.needs if name in stated and name not in apart]
    held.require_taken(joined)
    if not joined:
        return JointPlan({}, apart)
    joint = _lay_out(bundle, context, joined, held)
    idle = {name: bundle.units[name].result for name in joined}
    if making.PLAN not in bundle.archive.members:
        return JointPlan(idle, apart, joint)
    parts = _parts(bundle, context, joint)
    return JointPlan(joint_planning.results(context, joint, parts, (), known), apart, joint, parts)


def _lay_out(bundle: Bundle, context: RunContext, joined: list[str], held: StateLocks) -> Joint:
    """Recreate the joint root as it was planned, over the same states."""
    units = {name: context.units[name] for name in joined}
    stored = composition.fetch(context, units)
    held_states = {
        name: states.load(one.text, where=str(units[name].place)) for name, one in stored.items() if one.text
    }
    lineage, text = bundle.statement.lineage, bundle.archive.read(making.STATE).decode(errors="replace")
    needs = composition.edges_of(context, units)
    if composition.join(context, held_states, lineage, needs) != text:
        raise StaleError("the states differ from those that the bundle was planned with", todo="make a new bundle")
    tree = held.tree
    bundle.archive.extract(making.TREE, tree.folder)
    folder = tree.path(composition.place(context, units))
    if not folder.is_dir():
        raise StaleError(
            "the bundle was made in another folder of the repository",
            why=f"it has no {folder.relative_to(tree.folder)}",
            todo="apply it in a checkout that has the platform in the same folder",
        )
    _require_stated_modules(bundle, context, tree, folder)
    (folder / preview.STATE).write_text(text, encoding="utf-8")
    (folder / preview.STATE).chmod(0o600)
    root = driver.Root(folder, context.data(composition.NAME, "apply"))
    outside = {name: one.version for name, one in bundle.statement.outside.items()}
    joint = Joint(units, stored, held_states, outside, lineage, root, tree, text, Partition.of(units), needs)
    if making.PLAN in bundle.archive.members:
        joint.plan.write_bytes(bundle.archive.read(making.PLAN))
        joint.plan.chmod(0o600)
    return joint


def _require_stated_modules(bundle: Bundle, context: RunContext, tree: copies.ShadowTree, root: Path) -> None:
    """Raise StaleError (4) if the bundle's copy of a module differs from its statement."""
    platform = tree.path(context.resolved.platform.path)
    wrong = [
        os.path.relpath(path, platform)
        for path in (tree.folder / name.removeprefix(making.TREE) for name in bundle.archive.members)
        if path.is_relative_to(tree.folder) and not path.is_relative_to(root) and (path.is_file() or path.is_symlink())
        if facts.digest(path) != bundle.statement.files.get(os.path.relpath(path, platform))
    ]
    if wrong:
        raise StaleError(
            f"files in the bundle differ from its statement: {', '.join(sorted(wrong))}",
            todo="do not apply this bundle; make a new one",
        )


def _parts(bundle: Bundle, context: RunContext, joint: Joint) -> dict[str, Plan]:
    """Return the plan of each unit, read from the plan file. Raises StaleError if it is not the reviewed one."""
    ready = context.terraform.init(joint.root)
    ready.require_prerequisites()
    if not ready.is_ok:
        raise NgpError("terraform init failed in the bundle's root", why="; ".join(one.summary for one in ready.errors))
    try:
        parts = joint_planning.parts(context, joint, has_changes=True)
    except ApartError as error:
        raise StaleError("the plan file in the bundle is for other units", why=str(error)) from error
    except NgpError as error:
        raise StaleError("cannot read the plan file in the bundle", why=error.findings[0].what) from error
    wrong = [name for name, part in parts.items() if not _is_reviewed(bundle.units[name], part)]
    if wrong:
        raise StaleError(
            [
                Finding(
                    f"the plan file makes other changes to `{name}` than the bundle shows",
                    why="its parts come from different plans",
                    todo="do not apply this bundle; make a new one",
                )
                for name in wrong
            ]
        )
    return parts


def _is_reviewed(one: ReviewedUnit, part: Plan) -> bool:
    return one.plan is not None and reviews.is_same(one.plan, part)


def require_known(bundle: Bundle, cwd: Path) -> str:
    """Return the bundle's environment. Raises StaleError if the platform around `cwd` does not have it."""
    platform = platforms.load(platforms.find(cwd))
    name = bundle.statement.environment
    if name not in documents.names(platform):
        raise StaleError(
            f"the bundle is for the environment `{name}`, which does not exist here",
            where=str(platform.path),
            why="it was renamed or removed, or this is another platform",
        )
    return name


def require_comparable(one: Bundle, other: Bundle) -> None:
    """Raise UsageError (64) for bundles of different platforms, environments or verbs."""
    for word in ("platform", "environment", "verb"):
        first, second = getattr(one.statement, word), getattr(other.statement, word)
        if first != second:
            raise UsageError(f"cannot compare these bundles: their {word} differs ({first} and {second})")


def run(bundle: Bundle) -> RunResult:
    """Return the content of the bundle as the result of the run that planned it."""
    stated = bundle.statement
    return RunResult(
        stated.run_id,
        Verb.PLAN,
        stated.environment,
        tuple(results(bundle)),
        chosen=stated.chosen,
        options=stated.options,
    )


def results(bundle: Bundle) -> list[UnitResult]:
    """Return the results in the bundle, by wave and name."""
    return sorted((one.result for one in bundle.units.values()), key=lambda one: (one.wave, one.unit))
