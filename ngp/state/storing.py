"""Reads and writes states by version: a write never overwrites a version that was not read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from typing import Any

from ngp.aws.failures import DeniedError
from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError, StaleError
from ngp.files import private_folder
from ngp.state.locations import StateLocation
from ngp.state.reading import denied

_PAUSES_S = (0.5, 2.0)  # before a write is tried again
ABSENT = ""  # the version of a missing state
_NOT_THERE = ("NoSuchKey", "NoSuchBucket")
# A precondition failed, or another write was under way (Amazon S3 User Guide, "Conditional requests")
_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True)
class Stored:
    """A state's text, "" for none, and its version: the ETag in S3, a digest for a file, ABSENT for none."""

    text: str = ""
    version: str = ABSENT

    @property
    def digest(self) -> str:
        return digest(self.text)


@dataclass(frozen=True)
class Encryption:
    """The encryption of the backend's objects (arguments of PutObject)."""

    kms_key_id: str = ""
    is_on: bool = True

    @property
    def arguments(self) -> Mapping[str, str]:
        if not self.is_on:
            return {}
        if self.kms_key_id:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key_id}
        return {"ServerSideEncryption": "AES256"}


def fetch(place: StateLocation, session: Session) -> Stored:
    """Read a state. Raises MissingError if the bucket cannot be read, NgpError for a damaged object."""
    if place.path is not None:
        try:
            data = place.path.read_bytes()
        except FileNotFoundError:
            return Stored()
        return Stored(_text(data, place), _digest(data)) if data else Stored()
    try:
        found = session.call("s3", "get_object", absent=_NOT_THERE, Bucket=place.bucket, Key=place.key)
    except DeniedError as error:
        raise denied(place.bucket, error) from error
    return Stored() if found is None else _of_answer(found, place)


def store(place: StateLocation, session: Session, text: str, expected: str, encryption: Encryption) -> str:
    """Write a state over its version `expected` (ABSENT: only where there is none); return the new version.

    An answer that is lost or doubtful (412, 409, 5xx, a broken connection) is settled by reading back: the same bytes
    there mean that the write went through. Raises StaleError where another version is there, else the first error.
    """
    data = text.encode()
    if place.path is not None:
        return _write_file(place, data, expected)
    for pause_s in _PAUSES_S:
        try:
            return _put(place, session, text, expected, encryption)
        except (StaleError, MissingError):
            raise
        except NgpError:
            time.sleep(pause_s)  # S3 failed temporarily, and the previous version is still there
    return _put(place, session, text, expected, encryption)


def _put(place: StateLocation, session: Session, text: str, expected: str, encryption: Encryption) -> str:
    data = text.encode()
    condition = {"IfNoneMatch": "*"} if expected == ABSENT else {"IfMatch": expected}
    failure: NgpError | None = None
    try:
        answer = session.once(
            "s3",
            "put_object",
            absent=_REFUSED,
            Bucket=place.bucket,
            Key=place.key,
            Body=data,
            ContentType="application/json",
            **condition,
            **encryption.arguments,
        )
        if answer is not None:
            return str(answer["ETag"])
    except NgpError as error:
        failure = explained(error, place)
    there = _read_back(place, session, failure)
    if there.text == text:
        return there.version
    if failure is not None and there.version in (expected, ABSENT):
        raise failure
    raise StaleError(
        "the state was changed by somebody else",
        where=str(place),
        why=f"its version is {there.version or 'gone'}, not {expected or 'absent'}",
        todo="find out who wrote it (`ngp state show`), then run the command again",
    ) from failure


def explained(error: NgpError, place: StateLocation) -> NgpError:
    """Return the error of a call, with a fix if the bucket is missing."""
    if not error.findings[0].why.startswith("NoSuchBucket"):
        return error
    what = f"the state bucket {place.bucket} does not exist"
    return MissingError(what, where=str(place), todo="`ngp state bootstrap` creates it again")


def _read_back(place: StateLocation, session: Session, failure: NgpError | None) -> Stored:
    try:
        found = session.once("s3", "get_object", absent=_NOT_THERE, Bucket=place.bucket, Key=place.key)
        return Stored() if found is None else _of_answer(found, place)
    except NgpError as error:
        raise failure or error from error


def _of_answer(found: Mapping[str, Any], place: StateLocation) -> Stored:
    try:
        data = bytes(found["Body"].read())
    except Exception as error:  # noqa: BLE001  botocore and urllib3 each have their own for a body that is cut off
        raise NgpError("the state could not be read completely", where=str(place), why=str(error)) from error
    return Stored(_text(data, place), str(found["ETag"]))


def _write_file(place: StateLocation, data: bytes, expected: str) -> str:
    """Write in place: Terraform's lock of a local state is on the file itself, which a rename would replace."""
    assert place.path is not None
    private_folder(place.path.parent)
    handle = os.open(place.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        before = file.readall()
        if (_digest(before) if before else ABSENT) != expected:
            raise StaleError("the state was changed by somebody else", where=str(place))
        if before:
            _back_up(place, before)
        try:
            _overwrite(file, data)
        except OSError:
            _overwrite(file, before)  # its disk space is still reserved
            raise
    return _digest(data)


def _overwrite(file: FileIO, data: bytes) -> None:
    file.seek(0)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    file.truncate()
    os.fsync(file.fileno())


def _back_up(place: StateLocation, data: bytes) -> None:
    """Keep the previous version beside the state, as Terraform's local backend does."""
    assert place.path is not None
    backup = place.path.with_name(f"{place.path.name}.backup")
    handle = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def digest(text: str) -> str:
    """Return a state's digest, equal to `Stored.digest` once it is written."""
    return _digest(text.encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _text(data: bytes, place: StateLocation) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NgpError("this is not a Terraform state", where=str(place), why=str(error)) from error
