"""Locks of states in Terraform's own format, so that Terraform and ngp keep each other out.

S3: the object KEY.tflock, JSON, written on condition that there is none (Terraform's S3 backend, `use_lockfile`).
Local: an fcntl lock on the state file (Terraform's local backend), held by a process of its own (`keeper`): closing any
descriptor of the file would drop it in the process that holds it, and it has to outlive a killed ngp.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import Finding, LockHeldError, NgpError
from ngp.state import keeping, reading, storing
from ngp.state.locations import StateLocation
from ngp.state.waiting import Wait

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_GONE = ("NoSuchKey", "NoSuchBucket", "PreconditionFailed", "412", "404")


@dataclass(frozen=True)
class Purpose:
    """The content of a lock in Terraform's words (``OperationTypeApply``), with Terraform's version.

    `calls` is the folder of the run's Terraform calls (see `keeping.start`). For the wait for a taken lock see `Wait`.
    """

    operation: str
    version: str
    calls: Path
    timeout_s: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    emit: Callable[[str], None] = lambda _: None

    def wait(self) -> Wait:
        """Start the wait for a lock."""
        return Wait(self.timeout_s, self.stop, self.emit)


@dataclass
class Held:
    """Locks that this process holds: ids by unit, and the keeper of the local ones."""

    places: Mapping[str, StateLocation]
    ids: Mapping[str, str]
    keeper: keeping.Keeper | None = None

    def split(self, names: Collection[str]) -> tuple[Held, Held]:
        """Split into the locks of some units and those of the others."""
        kept = {name: place for name, place in self.places.items() if name in names}
        rest = {name: place for name, place in self.places.items() if name not in names}
        local = [place.path for place in rest.values() if place.path is not None]
        if self.keeper is not None and local:
            self.keeper.release(local)
        return Held(kept, self.ids, self.keeper), Held(rest, self.ids)


def new_ids(units: Mapping[str, StateLocation]) -> dict[str, str]:
    """Return an id for each lock, made before any is written, so that a lock is recognised after a lost answer."""
    return {name: str(uuid.uuid4()) for name in sorted(units)}


def take(places: Mapping[str, StateLocation], ids: Mapping[str, str], session: Session, purpose: Purpose) -> Held:
    """Take the lock of every state, in the order of their names; all of them or none.

    The caller must have stored `ids` before. Raises LockHeldError (5) with the holder of the first lock that is taken.
    """
    local = {name: place for name, place in places.items() if place.path is not None}
    held = Held({}, ids)
    try:
        if local:
            texts = {place.path: _info(ids[name], place, purpose) for name, place in local.items() if place.path}
            keeper = keeping.start(texts, purpose.calls, purpose.wait())
            held = Held(local, ids, keeper)
        for name in sorted(places.keys() - local.keys()):
            held = Held({**held.places, name: places[name]}, ids, held.keeper)  # its answer may be lost
            _take(name, places[name], ids[name], session, purpose)
    except NgpError as error:
        failures = release(held, session.steady())
        if not failures:
            raise
        raise type(error)(
            [*error.findings, *(_left(finding) for one in failures for finding in one.findings)]
        ) from error
    except BaseException:
        release(held, session.steady())
        raise
    return held


def _left(finding: Finding) -> Finding:
    return replace(finding, what=f"cannot release a lock: {finding.what}", todo="`ngp unlock` removes it")


def release(held: Held, session: Session) -> list[NgpError]:
    """Release locks; return those that could not be released, which the operator must be told."""
    failures = []
    if held.keeper is not None:
        held.keeper.release()
    for name, place in sorted(held.places.items()):
        if place.path is None:
            try:
                drop(place, held.ids[name], session)
            except NgpError as error:
                failures.append(error)
    return failures


def renew(places: Mapping[str, StateLocation], ids: Mapping[str, str], session: Session, purpose: Purpose) -> list[str]:
    """Verify that S3 locks of an earlier process are still held, by their stored ids.

    A missing lock is taken again with the same id. Returns the names of those. Raises LockHeldError (5) if somebody
    else holds one; the other locks stay unchanged.
    """
    gone = []
    for name, place in sorted(places.items()):
        found = _read(place, session)
        if found is None or found[0].get("ID") != ids[name]:
            _take(name, place, ids[name], session, purpose)
            gone.append(name)
    return gone


def drop(place: StateLocation, lock_id: str, session: Session) -> bool:
    """Delete the S3 lock with this id; return False if it is missing or somebody else's."""
    found = _read(place, session)
    if found is None or found[0].get("ID") != lock_id:
        return False
    where = {"Bucket": place.bucket, "Key": _key(place)}
    return session.call("s3", "delete_object", absent=_GONE, IfMatch=found[1], **where) is not None


def _take(name: str, place: StateLocation, lock_id: str, session: Session, purpose: Purpose) -> None:
    def locked() -> str:
        holder = None
        with suppress(NgpError):
            holder = reading.holder(place, session)
        return f"the state of `{name}` is locked by {holder or 'somebody'}"

    wait = purpose.wait()
    while not _put(place, lock_id, session, purpose):
        if not wait.should_retry(locked):
            raise LockHeldError(
                locked(),
                where=str(place),
                todo="wait until it is free (-lock-timeout=10m waits); `ngp locks` names the holder, `ngp unlock` "
                "removes the lock of one that is gone",
            )


def _put(place: StateLocation, lock_id: str, session: Session, purpose: Purpose) -> bool:
    """Write the lock; return whether this process holds it. After a lost answer it is read back."""
    failure: NgpError | None = None
    try:
        answer = session.once(
            "s3",
            "put_object",
            absent=_TAKEN,
            Bucket=place.bucket,
            Key=_key(place),
            Body=_info(lock_id, place, purpose).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
        if answer is not None:
            return True
    except DeniedError:
        raise
    except NgpError as error:
        failure = error
    found = _read(place, session)
    if found is not None:
        return bool(found[0].get("ID") == lock_id)
    if failure is not None:
        raise storing.explained(failure, place) from failure
    return False


def _read(place: StateLocation, session: Session) -> tuple[Mapping[str, Any], str] | None:
    """Return the lock's document and its ETag; an unreadable one has no ID."""
    found = session.once("s3", "get_object", absent=_GONE, Bucket=place.bucket, Key=_key(place))
    if found is None:
        return None
    try:
        document = json.loads(found["Body"].read())
    except (ValueError, OSError):
        document = {}
    return (document if isinstance(document, dict) else {}), str(found["ETag"])


def _key(place: StateLocation) -> str:
    return f"{place.key}.tflock"


def _info(lock_id: str, place: StateLocation, purpose: Purpose) -> str:
    """Return a lock's text (Terraform, internal/states/statemgr/locker.go, LockInfo)."""
    path = str(place.path) if place.path is not None else f"{place.bucket}/{place.key}"
    return json.dumps(
        {
            "ID": lock_id,
            "Operation": purpose.operation,
            "Info": "",
            "Who": f"{_user()}@{socket.gethostname()}",
            "Version": purpose.version,
            "Created": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "Path": path,
        }
    )


def _user() -> str:
    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return str(os.getuid())
