"""What lies at a state's place: its text, and who holds its lock. Its format is `ngp.terraform.states`."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError
from ngp.state.places import S3, StatePlace


@dataclass(frozen=True)
class Holder:
    """Who holds a state's lock, in Terraform's own words; `id` is what ``force-unlock`` takes."""

    id: str
    who: str
    operation: str
    created: str

    def __str__(self) -> str:
        return f"{self.who} since {self.created} ({self.operation}, lock {self.id})"


def read(place: StatePlace, session: Session) -> str | None:
    """The raw text of a state; None where there is none yet, also for want of the bucket.

    Raises MissingError where the bucket is there but not ours to read.
    """
    return _text(place, session, _at(place))


def holder(place: StatePlace, session: Session) -> Holder | None:
    """Who holds the lock of a state, or None where nobody does."""
    text = _text(place, session, _lock_at(place))
    if text is None:
        return None
    try:
        lock = json.loads(text)
        return Holder(*(str(lock.get(name, "")) for name in ("ID", "Who", "Operation", "Created")))
    except (ValueError, AttributeError, RecursionError):
        raise NgpError("this is not a lock of Terraform", where=f"{place}: {_lock_at(place)}") from None


def _at(place: StatePlace) -> str:
    return place.key if place.kind == S3 else str(place.path)


def _lock_at(place: StatePlace) -> str:
    """Where Terraform keeps the lock: `use_lockfile` beside the object, the local backend in a hidden file."""
    if place.path is None:
        return f"{place.key}.tflock"
    return str(place.path.with_name(f".{place.path.name}.lock.info"))


def _text(place: StatePlace, session: Session, at: str) -> str | None:
    if place.path is not None:
        with suppress(FileNotFoundError):
            return place.path.with_name(at.rpartition("/")[2]).read_text(encoding="utf-8")
        return None
    try:
        data = session.object(place.bucket, at)
    except DeniedError as error:
        raise denied(place.bucket, error) from error
    return None if data is None else data.decode("utf-8")


def denied(bucket: str, error: DeniedError) -> MissingError:
    """The state's bucket is there, but its owner does not let these credentials in."""
    return MissingError(
        f"the state bucket {bucket} is there, but not ours to read",
        why=error.findings[0].why or error.findings[0].what,
        todo="bring credentials that may read it, or name another bucket (`state_bucket` in ngp.yaml)",
    )
