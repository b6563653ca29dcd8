"""Recovers killed runs: writes their states to their places, releases their locks and names lost objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ngp.aws.session import Session
from ngp.errors import Finding, NgpError, RefusedError, StaleError
from ngp.runs import killed, preview
from ngp.runs.context import RunContext
from ngp.runs.events import Note
from ngp.runs.joint import checkpoints, composition, created_objects, lifecycles, record, state_locks, states
from ngp.runs.joint.checkpoints import Copies
from ngp.runs.joint.record import JointRecord, JointStage, RecordFile, UnitRecord
from ngp.runs.joint.saving import Saver
from ngp.runs.joint.state_locks import TREE
from ngp.runs.joint.states import Document
from ngp.state import locks, storing
from ngp.state.storing import Stored
from ngp.terraform import events, rescue

FLAG = "--accept-lost"


def recover(context: RunContext) -> None:
    """Write the states of killed runs to their places, release their locks, and emit notes.

    Raises StaleError (4) if a state changed meanwhile, RefusedError (3) for objects in no state that the operator has
    not accounted for, NgpError (1) if a state cannot be written. Nothing is dropped then.
    """
    workspace = context.resolved.platform.workspace
    for folder, one in record.unended(workspace, context.name):
        if folder != context.folder:
            _Recovery(context, folder, one).run()


class _Recovery:
    """The recovery of one killed run."""

    def __init__(self, context: RunContext, folder: Path, found: JointRecord) -> None:
        self._context, self._folder, self._record = context, folder, found
        self._session = context.access.session.steady()
        self._file = RecordFile(folder, found)
        runs = killed.find(context.resolved.platform.workspace, context.name)
        self._killed = [one for one in runs if one.folder == folder]
        self._calls = [call for one in self._killed for call in one.calls if not call.tied]

    def run(self) -> None:
        """Recover the whole run, or raise and change nothing."""
        if self._record.stage in (JointStage.APPLYING, JointStage.SAVING):
            with self._locks():
                self._save()
            self._file.update(stage=JointStage.SAVED, unsaved=())  # from here on, others may change the states
        self._give_back()
        self._account()
        checkpoints.remove(self._folder / TREE, self._folder, self._record.lineage)
        self._file.update(stage=JointStage.ENDED, lost=())
        killed.report(self._killed, self._context.name, lambda text: self._context.emit(Note(text)))

    def _save(self) -> None:
        root = self._folder / self._record.root
        document = Copies(root / preview.STATE, self._folder, self._record.lineage).read_last()
        if document is None:
            raise NgpError(
                f"cannot read the joint state of run {self._record.run_id}",
                where=str(root / preview.STATE),
                why="Terraform was killed while it wrote the file, and there is no complete copy",
                todo="import the objects that its log names, then delete the run's folder",
            )
        stored = {name: storing.fetch(one.place, self._session) for name, one in self._record.units.items()}
        parts = self._record.partition.split(document)
        priors, failures = self._priors(stored, parts)
        is_final = self._record.is_final or self._is_final(document, root)
        lost = sorted({*self._record.lost, *created_objects.read(self._lines()).unknown(self._record.made(document))})
        before = {name: one.serial for name, one in self._file.record.units.items()}
        saver = Saver(self._session, self._file, priors, self._declared)
        failures |= saver.save(document, stored.keys() - failures.keys(), is_final=is_final)
        self._file.update(stage=JointStage.SAVING, is_final=is_final, lost=tuple(lost), unsaved=tuple(failures))
        if failures:
            findings = [finding for error in failures.values() for finding in error.findings]
            if not all(isinstance(error, StaleError) for error in failures.values()):
                raise NgpError(findings)
            self._give_back()  # the operator must resolve changed states; the others are saved
            raise StaleError(findings)
        saved = [name for name, one in self._file.record.units.items() if one.serial != before[name]]
        if saved:
            text = f"saved what run {self._record.run_id} had created: the states of {', '.join(saved)}"
            self._context.emit(Note(text))

    def _is_final(self, document: Document, root: Path) -> bool:
        """Whether a Terraform that continued after the kill wrote its last state."""
        diagnostics = [one for one in map(events.parse, self._lines()) if isinstance(one, events.Diagnostic)]
        errored = root / rescue.NAME
        left = errored if rescue.is_whole(errored) else None
        failed = [one.summary for one in diagnostics]
        return any(checkpoints.is_final(document, call.exit_code, failed, left) for call in self._calls)

    @contextmanager
    def _locks(self) -> Iterator[None]:
        """Hold the locks of all states. Those of local states ended with the killed run.

        Those in S3 stay after a kill. If somebody released one, they may be working on that state.
        """
        places = {name: one.place for name, one in self._record.units.items()}
        local = {name: place for name, place in places.items() if place.path is not None}
        remote = {name: place for name, place in places.items() if place.path is None}
        purpose = state_locks.purpose(self._context)
        ids = {name: self._record.units[name].lock for name in remote}
        gone = locks.renew(remote, ids, self._session, purpose)
        if gone:
            text = f"somebody released locks of run {self._record.run_id}, so ngp took them again: {', '.join(gone)}"
            self._context.emit(Note(text))
        held = locks.take(local, locks.new_ids(local), self._session, purpose)
        try:
            yield
        finally:
            locks.release(held, self._session)

    def _priors(
        self, stored: Mapping[str, Stored], parts: Mapping[str, states.StatePart]
    ) -> tuple[dict[str, Document | None], dict[str, NgpError]]:
        """Return the current states of the units, and errors for those that somebody else has changed."""
        priors: dict[str, Document | None] = {}
        failures: dict[str, NgpError] = {}
        for name, one in stored.items():
            try:
                priors[name] = self._prior(name, one, parts[name])
            except StaleError as error:
                priors[name], failures[name] = None, error
        return priors, failures

    def _prior(self, name: str, stored: Stored, part: states.StatePart) -> Document | None:
        """Return a unit's current state and update the record. Raises if somebody else has changed it."""
        one = self._record.units[name]
        stored = _repaired(one, stored, self._session)
        document = states.load(stored.text, where=str(one.place)) if stored.text.strip() else None
        if stored.version != one.version:
            if not (stored.digest == one.writing or document is None or _is_pushed(one, document, part)):
                raise StaleError(
                    f"the state of `{name}` was changed after run {self._record.run_id} was killed",
                    where=str(one.place),
                    why=f"the state of that run is in {self._folder}; ngp does not overwrite the change with it",
                    todo="compare the two with `terraform state list`, import what is missing, then remove the run's "
                    "folder: the states of the other units are saved",
                )
            serial = int((document or {}).get("serial") or one.serial)
            taken = replace(one, serial=serial, version=stored.version)
            self._file.update(units={**self._file.record.units, name: taken})
        return document

    def _declared(self, name: str) -> frozenset[str]:
        data = self._context.data(composition.NAME, "apply")
        fetched = lifecycles.fetched(self._folder / self._record.root, data)
        return lifecycles.declared(name, self._folder / self._record.units[name].source, fetched)

    def _lines(self) -> Iterable[str]:
        return (line for call in self._calls for line in call.output().splitlines())

    def _give_back(self) -> None:
        given = [
            name
            for name, one in self._record.units.items()
            if one.lock and not one.path and locks.drop(one.place, one.lock, self._session)
        ]
        if given:
            text = f"released the locks of run {self._record.run_id}: {', '.join(given)}"
            self._context.emit(Note(text))

    def _account(self) -> None:
        """Raise RefusedError for objects that may exist and are in no state, until each is accounted for."""
        there = set[str]()
        for one in self._file.record.units.values():
            text = storing.fetch(one.place, self._session).text
            if text.strip():
                document = states.load(text, where=str(one.place))
                there |= self._record.made(document)
        accepted = set(self._context.request.accepts_lost)
        left = [address for address in self._file.record.lost if address not in there | accepted]
        self._file.update(lost=tuple(left))
        if left:
            raise RefusedError([_lost(address, self._record.partition.owner(address)) for address in left])


def _is_pushed(one: UnitRecord, document: Document, part: states.StatePart) -> bool:
    """Whether somebody has already pushed the state that the killed run left."""
    return document.get("lineage") == one.lineage and part.equals(document)


def _repaired(one: UnitRecord, stored: Stored, session: Session) -> Stored:
    """Restore a local state that the killed run was in the middle of writing."""
    if not one.path or not one.writing or not stored.text or _is_document(stored.text):
        return stored
    before = storing.fetch(replace(one.place, path=Path(f"{one.path}.backup")), session)
    return replace(before, version=stored.version) if before.version == one.version else stored


def _is_document(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _lost(address: str, unit: str) -> Finding:
    return Finding(
        f"{address} may exist, but no state contains it",
        why="Terraform or its provider ended while creating it, so another apply could create it twice",
        todo=f"look for it; if it exists, in the root of `{unit}`: terraform import '{address}' ID; "
        f"if it does not: {FLAG} '{address}'",
    )
