"""State locks of a joint run, and the record that is written before each is taken."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ngp.errors import Finding, NgpError, StaleError
from ngp.runs import copies
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.joint import checkpoints, choosing, composition, states
from ngp.runs.joint.composition import Joint
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.record import JointRecord, JointStage, RecordFile, UnitRecord
from ngp.runs.joint.states import Document
from ngp.runs.killed import CALLS
from ngp.runs.units import SINGLE
from ngp.state import locks
from ngp.terraform.plans import Action, Plan

_OPERATION = "OperationTypeApply"  # Terraform's own, for apply and destroy
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
TREE = "tree"  # in the run's folder: the shadow tree in which a joint plan is made and applied


class StateLocks:
    """The locks and the record of a joint run; a context that releases everything at its end."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.apart = choosing.apart(context)
        self.tree = copies.ShadowTree(context.folder / TREE, context.resolved.platform.path)
        self._held: list[locks.Held] = []
        account = context.resolved.environment.account
        verb, is_whole = context.request.verb.value, SINGLE in context.needs
        record = JointRecord(context.run_id, verb, context.name, JointStage.LOCKING, "", account, is_whole=is_whole)
        self.record = RecordFile(context.folder, record)
        self.record.update()  # before the tree with values, so that a killed run is found by its record

    def take(self) -> None:
        """Take the locks of all states that may be joined. Raises LockHeldError (5) if one is held."""
        context = self._context
        chosen = self.record.record.units or [name for name in context.needs if name not in self.apart]
        units = {name: context.units[name] for name in chosen}
        if not units:
            return
        places = {name: unit.place for name, unit in units.items()}
        ids = locks.new_ids(places)
        before = self.record.record.units
        self.record.update(
            units={name: replace(before.get(name) or self._unit(name), lock=ids[name]) for name in units}
        )
        self._held.append(locks.take(places, ids, context.access.session, purpose(context)))

    def note_plan(self, planned: JointPlan) -> None:
        """Record what is about to be confirmed and applied; release the locks of separate units, which Terraform takes
        itself.
        """
        found = planned.joint
        self._keep_only(planned.results)
        units = {}
        for name in found.units if found is not None else ():
            assert found is not None
            document = found.documents.get(name) or {}
            units[name] = replace(
                self._unit(name),
                lineage=str(document.get("lineage") or composition.new_lineage()),
                serial=int(document.get("serial") or 0),
                version=found.stored[name].version,
                replaced=_replaced(document, planned.parts.get(name)),
                source="" if found.partition.is_whole else self._inside(found.tree.path(found.source(name))),
            )
        root = self._inside(found.root.path) if found else ""
        self.record.update(stage=JointStage.PLANNED, lineage=found.lineage if found else "", units=units, root=root)

    def require_taken(self, names: Collection[str]) -> None:
        """Raise StaleError (4) if a unit of the bundle is not locked, because it would be planned separately here."""
        apart = {name: self.apart[name] for name in names if name in self.apart}
        found = [Finding(f"ngp handles `{name}` separately here: {why}") for name, why in apart.items()]
        if found:
            raise StaleError(found)

    def require_unmoved(self, joint: Joint) -> None:
        """Raise StaleError (4) if a state has changed since the plan."""
        context = self._context
        moved = [
            f"{name} (its outputs are used)"
            for name, one in composition.fetch(context, {name: context.units[name] for name in joint.outside}).items()
            if one.version != joint.outside[name]
        ]
        now = composition.fetch(context, joint.units)
        moved += [name for name, one in now.items() if one.version != joint.stored[name].version]
        documents = {
            name: states.load(one.text, where=str(joint.units[name].place)) for name, one in now.items() if one.text
        }
        if not moved and composition.join(context, documents, joint.lineage, joint.needs) != joint.state:
            moved = sorted(joint.units)
        if moved:
            raise StaleError(
                f"states changed after the plan: {', '.join(moved)}",
                why="the reviewed plan no longer fits them",
                todo="run the command again to plan over the current states",
            )

    def end(self) -> None:
        """Release the locks, and delete the joint files if every state is in its place.

        The next apply releases locks that cannot be released now. S3 locks of unwritten states stay: the next apply
        writes the states and releases those locks.
        """
        session = self._context.access.session.steady()
        record = self.record.record
        unsaved = record.units if record.stage is JointStage.APPLYING else record.unsaved
        failures = []
        for held in self._held:
            kept, freed = held.split(unsaved)
            failures += locks.release(freed, session)
            if kept.keeper is not None:
                kept.keeper.release()
        self._held.clear()
        self._emit(failures)
        is_over = record.stage in (JointStage.LOCKING, JointStage.PLANNED) or (
            record.stage is JointStage.SAVED and not record.lost
        )
        if is_over and not failures:  # otherwise the next apply releases the locks
            checkpoints.remove(self.tree.folder, self._context.folder, record.lineage)
            self.record.update(stage=JointStage.ENDED)  # last, because a killed run is found by its record

    def _inside(self, path: Path) -> str:
        """Return a path relative to the run's folder."""
        return os.path.relpath(path, self._context.folder)

    def _unit(self, name: str) -> UnitRecord:
        """Return the record of a unit so far."""
        unit = self._context.units[name]
        place, is_own = unit.place, choosing.has_own_versions(self._context)
        how = choosing.encryption(unit, is_own_template=is_own)
        path = str(place.path or "")
        fresh = UnitRecord(place.bucket, place.key, place.region, path, kms_key_id=how.kms_key_id, encrypts=how.is_on)
        return self.record.record.units.get(name) or fresh

    def _keep_only(self, names: Collection[str]) -> None:
        held = self._held.pop() if self._held else None
        if held is None:
            return
        kept, freed = held.split(names)
        self._held.append(kept)
        self._emit(locks.release(freed, self._context.access.session.steady()))

    def _emit(self, failures: Collection[NgpError]) -> None:
        for error in failures:
            self._context.emit(Note(f"cannot release a lock: {error}; the next apply or `ngp unlock` releases it"))


@contextmanager
def acquire(context: RunContext, *, take: bool) -> Iterator[StateLocks]:
    """Open a joint run. `take` locks the states at once; otherwise call its `take` when there is a bucket."""
    locks = StateLocks(context)
    try:
        if take:
            locks.take()
        yield locks
    finally:
        locks.end()


def _replaced(document: Document, part: Plan | None) -> dict[str, str]:
    """Return the ids of the objects that a plan replaces, by address."""
    ids = dict(states.identities(document))
    changes = part.changes if part is not None else ()
    return {one.address: ids[one.address] for one in changes if one.action is Action.REPLACE and one.address in ids}


def purpose(context: RunContext) -> locks.Purpose:
    """Return the text of a run's locks, and how long to wait for them."""
    return locks.Purpose(
        _OPERATION,
        context.terraform.binary.version,
        context.folder / CALLS,
        seconds(context.request.options.lock_timeout),
        context.stop,
        lambda text: context.emit(Note(text)),
    )


def seconds(text: str) -> float:
    """Convert a -lock-timeout of Terraform (``30s``, ``5m``, ``1h30m``) to seconds; "" is 0."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in _DURATION.findall(text))
