"""The record of a joint apply, written before each step, so that a later command can finish what a killed run began."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from ngp import files
from ngp.errors import Finding, LockHeldError, NgpError
from ngp.runs import journal
from ngp.runs.joint import states
from ngp.runs.joint.partition import Partition
from ngp.runs.joint.states import Document
from ngp.state.locations import StateLocation
from ngp.state.storing import Encryption
from ngp.workspace import Workspace

FILE = "joint.json"
_VERSION = 1


class JointStage(Enum):
    LOCKING = "locking"  # lock ids exist; some locks may be held
    PLANNED = "planned"  # planned, nothing applied; the operator may be asked
    APPLYING = "applying"  # Terraform is applying, or was
    SAVING = "saving"  # Terraform has ended; the units' states are being written
    SAVED = "saved"  # all states are written; locks may be held, and objects may be lost (`lost`)
    ENDED = "ended"  # all states are written and all locks released


_WHEN = {
    JointStage.LOCKING: "was killed while it took its locks",
    JointStage.PLANNED: "ended before it applied anything, and did not give back all locks",
    JointStage.APPLYING: "was killed while it applied",
    JointStage.SAVING: "ended before all its states were saved",
    JointStage.SAVED: "did not give back all locks",
}


@dataclass(frozen=True)
class UnitRecord:
    """The state of one unit: its location, and the last version that was read or written.

    `lineage` is that of the unit's state, new for a unit without one. `lock` is the id of its lock. `writing` is the
    digest of the state that was about to be written. `source` is the copy of its module in the run's folder.
    """

    bucket: str
    key: str
    region: str
    path: str  # of a local state, "" for S3
    lineage: str = ""
    serial: int = 0
    version: str = ""
    lock: str = ""
    kms_key_id: str = ""
    encrypts: bool = True
    replaced: Mapping[str, str] = field(default_factory=dict)  # address → id before, of what the plan replaces
    writing: str = ""
    source: str = ""

    @property
    def place(self) -> StateLocation:
        return StateLocation(
            "local" if self.path else "s3", self.bucket, self.key, self.region, Path(self.path) if self.path else None
        )

    @property
    def encryption(self) -> Encryption:
        return Encryption(self.kms_key_id, self.encrypts)


@dataclass(frozen=True)
class JointRecord:
    """A joint run of one environment. `lineage` is the joint state's own, new for every plan.

    `root` is the joint root in the run's folder. The environment may have changed before a killed run is recovered, so
    its units are not read from the platform again.
    """

    run_id: str
    verb: str
    environment: str
    stage: JointStage
    lineage: str
    account: str
    units: Mapping[str, UnitRecord] = field(default_factory=dict)
    is_final: bool = False  # Terraform ended normally, so the joint state has its outputs
    unsaved: tuple[str, ...] = ()  # units whose states could not be written to their places
    lost: tuple[str, ...] = ()  # objects that were being created at a kill, and that nobody has accounted for
    root: str = ""
    is_whole: bool = False  # the one unit owns the whole joint state (`state: single`)

    @property
    def partition(self) -> Partition:
        return Partition(frozenset(self.units), self.is_whole)

    def made(self, document: Document) -> set[str]:
        """Return the addresses that exist in a joint state or a unit's state.

        While a replacement creates its new object first, the state still shows the old one, which does not count.
        """
        before = {address: old for one in self.units.values() for address, old in one.replaced.items()}
        return {
            address for address, now in states.identities(document) if address not in before or now != before[address]
        }


_MUST_GO_ON = frozenset(
    {JointStage.APPLYING, JointStage.SAVING, JointStage.SAVED}
)  # a full disk must not prevent writing states to S3


class RecordFile:
    """The record file in the run's folder: read once, rewritten and fsynced at each change."""

    def __init__(self, folder: Path, record: JointRecord) -> None:
        self.folder, self.record = folder, record

    def update(self, **changes: Any) -> None:
        """Change fields of the record and write it."""
        self.record = replace(self.record, **changes)
        try:
            save(self.folder, self.record)
        except OSError:
            if self.record.stage not in _MUST_GO_ON:
                raise

    def saves(self, unit: str, digest: str) -> None:
        """Record that a unit's state is about to be written, so that a killed run's own state is recognised."""
        one = replace(self.record.units[unit], writing=digest)
        self.update(units={**self.record.units, unit: one})

    def saved(self, unit: str, serial: int, version: str) -> None:
        """Record that a unit's state was written."""
        one = replace(self.record.units[unit], serial=serial, version=version)
        self.update(units={**self.record.units, unit: one})


def save(folder: Path, record: JointRecord) -> None:
    """Write the record of a run."""
    document = {"v": _VERSION, **asdict(record), "stage": record.stage.value}
    files.write(folder / FILE, json.dumps(document, indent=1), mode=0o600)


def load(folder: Path) -> JointRecord | None:
    """Load a run's record, or None if there is none. Raises NgpError if it cannot be read."""
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        units = {name: UnitRecord(**one) for name, one in document["units"].items()}
        listed = {name: tuple(document[name]) for name in ("unsaved", "lost")}
        del document["v"]
        return JointRecord(**{**document, "stage": JointStage(document["stage"]), "units": units, **listed})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise NgpError(
            "cannot read the record of an interrupted run",
            where=str(path),
            why=str(error),
            todo="check the states that it names, then delete the run's folder",
        ) from error


def unended(workspace: Workspace, environment: str) -> list[tuple[Path, JointRecord]]:
    """Return the unfinished joint runs of an environment, oldest first. The caller must hold its lock."""
    found = []
    for folder in journal.folders(workspace, environment):
        one = load(folder)
        if one is not None and one.stage is not JointStage.ENDED:
            found.append((folder, one))
    return found


def require_none(workspace: Workspace, environment: str) -> None:
    """Raise LockHeldError (5) if a killed run of the environment was not recovered yet."""
    found = [_left(folder, one) for folder, one in unended(workspace, environment)]
    if found:
        raise LockHeldError(found)


def _left(folder: Path, one: JointRecord) -> Finding:
    """Describe what a run left, and how to recover it."""
    what = f"run {one.run_id} {_WHEN[one.stage]}"
    todo = f"ngp apply {one.environment} first saves what it created, and releases its locks"
    if one.stage is JointStage.SAVED and one.lost:
        what = f"run {one.run_id} may have created objects that no state contains: {', '.join(one.lost)}"
        todo = f"ngp apply {one.environment} shows how to handle each"
    why = "what it left is not saved yet, so a plan would start from wrong states"
    return Finding(what, where=str(folder), why=why, todo=todo)
