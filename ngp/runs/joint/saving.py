"""Writes each unit's part of a joint state to the unit's own location."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ngp import files
from ngp.aws.session import Session
from ngp.errors import Finding, NgpError
from ngp.runs.joint import lifecycles, states
from ngp.runs.joint.record import RecordFile, UnitRecord
from ngp.runs.joint.states import Document
from ngp.state import storing

UNSAVED = "unsaved"  # the folder of states that could not be written
_WRITERS = 8


class Saver:
    """Splits a joint state and writes each unit's part over the version that was read. Safe to use from threads.

    `priors` are the units' states before, parsed, None where a unit had none. `declared` names the resources of a
    unit that its own configuration creates before it destroys; it is asked only where a state has such a resource.
    """

    def __init__(
        self,
        session: Session,
        record: RecordFile,
        priors: Mapping[str, Document | None],
        declared: Callable[[str], frozenset[str]],
    ) -> None:
        self._session, self._record, self._declared = session, record, declared
        self._priors = dict(priors)
        self._guard = threading.Lock()

    def save(self, document: Document, units: Collection[str], *, is_final: bool) -> dict[str, NgpError]:
        """Write the states of `units`; return the errors of those that could not be written.

        Unchanged states are not written. Before its end, a joint state has only some outputs and no checks; those of
        the earlier states stay until then.
        """
        parts = self._record.record.partition.split(document)
        version = str(document.get("terraform_version", ""))
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="save") as pool:
            failures = pool.map(
                lambda unit: (unit, self._save(unit, parts[unit], version, is_final=is_final)), sorted(units)
            )
            return {unit: error for unit, error in failures if error is not None}

    def _save(self, unit: str, part: states.StatePart, terraform_version: str, *, is_final: bool) -> NgpError | None:
        prior = self._priors[unit]
        part = self._own(unit, part, prior)
        if not is_final:
            before = prior or {}
            outputs = {**(before.get("outputs") or {}), **part.outputs}
            part = replace(part, outputs=outputs, check_results=before.get("check_results"))
        if part.equals(prior):
            return None
        one = self._record.record.units[unit]
        serial = one.serial + 1
        text = states.render(part, lineage=one.lineage, serial=serial, terraform_version=terraform_version)
        try:
            with self._guard:
                self._record.saves(unit, storing.digest(text))
            version = storing.store(one.place, self._session, text, one.version, one.encryption)
        except (NgpError, OSError) as error:
            return self._kept(unit, one, text, error) if is_final else _as_error(error)
        with self._guard:
            self._priors[unit] = states.load(text, where=str(one.place))
            self._record.saved(unit, serial, version)
        return None

    def _own(self, unit: str, part: states.StatePart, prior: Document | None) -> states.StatePart:
        if self._record.record.is_whole or not lifecycles.has_flag(part):
            return part
        return lifecycles.normalize(part, prior, self._declared(unit))

    def _kept(self, unit: str, one: UnitRecord, text: str, error: NgpError | OSError) -> NgpError:
        """Store a state that could not be written in the run's folder; return the error with its fix."""
        found = _as_error(error).findings[0]
        path = self._record.folder / UNSAVED / f"{unit}.tfstate"
        push = f"terraform state push -lock=false {path}"  # the lock stays until the state is written
        todo = f"run the command again: ngp writes it first; or, in the unit's folder: {push}"
        todo = f"{found.todo}; then {todo}" if found.todo else todo
        try:
            files.private_folder(path.parent)
            files.write(path, text, mode=0o600)
        except OSError:
            todo = "free some disk, then run the command again: the joint state in the run's folder has it"
        return NgpError(
            [
                Finding(
                    f"the state of `{unit}` could not be written to {one.place}; it is kept in {path}",
                    found.where,
                    f"{found.what}{f': {found.why}' if found.why else ''}",
                    todo,
                )
            ]
        )


def _as_error(error: NgpError | OSError) -> NgpError:
    return (
        error
        if isinstance(error, NgpError)
        else NgpError(f"{error.strerror or error}", where=str(error.filename or ""))
    )
