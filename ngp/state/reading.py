"""Reads states: the text and content at a location, and the holder of its lock."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError
from ngp.state.locations import S3, StateLocation
from ngp.terraform import states
from ngp.terraform.states import State

_SUFFIX = ".tfstate"
_RESTORE = "restore an earlier version of the object or file; the state bucket keeps them all"


@dataclass(frozen=True)
class Holder:
    """The holder of a state's lock, in Terraform's words; `id` is the argument of ``force-unlock``.

    Fields are "" for a lock that is not in Terraform's format; `place` is its location.
    """

    id: str
    who: str
    operation: str
    created: str
    place: str = ""

    def __str__(self) -> str:
        if not self.id:
            return f"somebody; {self.place} is not in the form of Terraform's locks"
        return f"{self.who} since {self.created} ({self.operation}, lock {self.id})"


def read(place: StateLocation, session: Session) -> str | None:
    """Return the raw text of a state; None if it or the bucket does not exist yet.

    Raises MissingError if the bucket cannot be read, NgpError for a state that is not text.
    """
    data = _bytes(place, session, _at(place))
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NgpError(
            "this is not a Terraform state",
            where=str(place),
            why=f"it is not UTF-8 text: {error.reason} at byte {error.start}",
            todo=_RESTORE,
        ) from None


def load(place: StateLocation, session: Session) -> State | None:
    """Return the state at a location, or None. Raises like `read`, and NgpError for invalid content."""
    text = read(place, session)
    return None if text is None else states.parse(text, where=str(place))


def holder(place: StateLocation, session: Session) -> Holder | None:
    """Return the holder of a state's lock, or None."""
    data = _bytes(place, session, _lock_at(place))
    if data is None:
        return None
    at = _lock_at(place) if place.path else f"s3://{place.bucket}/{_lock_at(place)}"
    try:
        lock = json.loads(data)
        number, who, operation, created = (str(lock.get(name, "")) for name in ("ID", "Who", "Operation", "Created"))
    except (ValueError, AttributeError, RecursionError):
        return Holder("", "", "", "", at)
    return Holder(number, who, operation, created, at)


def release(place: StateLocation, session: Session, expected: Holder) -> None:
    """Delete the lock of a state. Raises NgpError if it is no longer held by `expected`."""
    now = holder(place, session)
    if now is None:
        return
    if now.id != expected.id:
        raise NgpError(f"the lock has changed: {now}", where=str(place), todo="check again: ngp locks")
    if place.path is not None:
        place.path.with_name(_lock_at(place).rpartition("/")[2]).unlink(missing_ok=True)
    else:
        session.delete_object(place.bucket, _lock_at(place))


def beside(place: StateLocation, session: Session) -> dict[str, StateLocation]:
    """Return all states in the folder of `place`, by name, in one listing; none if folder or bucket do not exist.

    Raises MissingError if the credentials cannot list the bucket.
    """
    if place.path is not None:
        files = sorted(place.path.parent.glob(f"*{_SUFFIX}"))
        return {file.name.removesuffix(_SUFFIX): replace(place, path=file) for file in files}
    prefix = f"{place.key.rpartition('/')[0]}/"
    try:
        keys = session.keys(place.bucket, prefix)
    except DeniedError as error:
        raise denied(place.bucket, error) from error
    names = {key: key.removeprefix(prefix).removesuffix(_SUFFIX) for key in keys if key.endswith(_SUFFIX)}
    return {name: replace(place, key=key) for key, name in names.items() if "/" not in name}


def below(place: StateLocation, session: Session) -> dict[tuple[str, str], StateLocation]:
    """Return all states of the platform in the store of `place`, by environment and name, in one listing.

    Empty if folder or bucket do not exist. Raises MissingError if the credentials cannot list the bucket.
    """
    if place.path is not None:
        files = sorted(place.path.parent.parent.glob(f"*/*{_SUFFIX}"))
        return {(file.parent.name, file.name.removesuffix(_SUFFIX)): replace(place, path=file) for file in files}
    top = f"{place.key.split('/')[0]}/"
    try:
        keys = session.keys(place.bucket, top)
    except DeniedError as error:
        raise denied(place.bucket, error) from error
    found = {}
    for key in keys:
        parts = key.removeprefix(top).split("/")
        if len(parts) == 2 and key.endswith(_SUFFIX):
            found[parts[0], parts[1].removesuffix(_SUFFIX)] = replace(place, key=key)
    return found


def _at(place: StateLocation) -> str:
    return place.key if place.kind == S3 else str(place.path)


def _lock_at(place: StateLocation) -> str:
    """Return the location of Terraform's lock: `use_lockfile` puts it beside the object, the local backend in a hidden
    file."""
    if place.path is None:
        return f"{place.key}.tflock"
    return str(place.path.with_name(f".{place.path.name}.lock.info"))


def _bytes(place: StateLocation, session: Session, at: str) -> bytes | None:
    if place.path is not None:
        with suppress(FileNotFoundError):
            return place.path.with_name(at.rpartition("/")[2]).read_bytes()
        return None
    try:
        return session.object(place.bucket, at)
    except DeniedError as error:
        raise denied(place.bucket, error) from error


def denied(bucket: str, error: DeniedError) -> MissingError:
    """Return the error for a bucket whose owner denies access to these credentials."""
    return MissingError(
        f"the state bucket {bucket} exists, but the credentials may not read it",
        why=error.findings[0].why or error.findings[0].what,
        todo="use credentials that may read it, or set another bucket (`state_bucket` in ngp.yaml)",
    )
