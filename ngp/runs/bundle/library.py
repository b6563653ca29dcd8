"""Bundles that the state bucket keeps for reviews and applies, by environment and digest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp.aws.session import Session
from ngp.environments.environment import BundleKeeping, StateKind
from ngp.environments.resolving import Resolved
from ngp.errors import NgpError, StaleError, UsageError
from ngp.runs import units
from ngp.runs.bundle import approvals, archive
from ngp.runs.bundle.archive import Archive
from ngp.runs.bundle.uses import APPLIED, PREFIX

_ENDING = ".bundle"
_TRIES = 5  # when people approve the same bundle at the same time
_MOVED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409", "NoSuchKey")
_LEAST = 6  # digits of a digest that name a bundle


@dataclass(frozen=True)
class StoredBundle:
    """A bundle in the bucket: its digest, and whether it was applied."""

    digest: str
    is_applied: bool


class Library:
    """The stored bundles of one environment."""

    def __init__(self, resolved: Resolved, session: Session) -> None:
        if resolved.platform.state is not StateKind.S3:
            raise UsageError(
                "this platform has no state bucket to store bundles in",
                where=str(resolved.platform.path / "ngp.yaml"),
                todo="pass the file on yourself, or set `state: s3` in ngp.yaml",
            )
        self._place = units.any_place(resolved)
        self._prefix, self._session = f"{PREFIX}{resolved.environment.name}/", session

    def collect(self) -> list[StoredBundle]:
        """Return all stored bundles, by digest."""
        names = [key.removeprefix(self._prefix) for key in self._session.keys(self._place.bucket, self._prefix)]
        applied = {name.removesuffix(APPLIED) for name in names if name.endswith(APPLIED)}
        digests = sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))
        return [StoredBundle(digest, digest in applied) for digest in digests]

    def push(self, path: Path) -> Archive:
        """Upload a bundle file, merged with the approvals of the stored one.

        The local file gets the stored approvals, too. Raises StaleError (4) if the stored bundle is damaged.
        """
        for _ in range(_TRIES):
            digest = archive.read(path).digest
            body, version = self._get(digest)
            kept = self._open(body, digest).approvals if body is not None else ()
            with approvals.changing(path):
                opened = _add(archive.read(path), kept)
                content = path.read_bytes()
            if opened.digest == digest and self._put(digest, content, version):
                return opened
        raise NgpError(f"somebody else is uploading the bundle {digest[:12]}", todo="try again")

    def fetch(self, word: str, out: Path) -> Archive:
        """Download the bundle whose digest starts with `word` into a file, which keeps its own approvals.

        Raises UsageError (64) for no match or several, StaleError (4) if the bundle is damaged.
        """
        found = [one.digest for one in self.collect() if one.digest.startswith(word)]
        if len(found) != 1 or len(word) < _LEAST:
            what = f"{len(found)} stored bundles have a digest that starts with `{word}`"
            raise UsageError(what, todo="ngp bundle list shows them; write more digits" if found else "ngp bundle list")
        body, _ = self._get(found[0])
        if body is None:
            raise NgpError(f"somebody has just deleted the bundle {found[0][:12]}")
        self._open(body, found[0])
        with approvals.changing(out):
            own = _approvals(out, found[0])
            with archive.replacing(out) as file:
                file.write(body)
            return _add(archive.read(out), own)

    def url(self, digest: str) -> str:
        """Return the S3 URL of a bundle."""
        return f"s3://{self._place.bucket}/{self._key(digest)}"

    def _key(self, digest: str) -> str:
        return f"{self._prefix}{digest}{_ENDING}"

    def _get(self, digest: str) -> tuple[bytes | None, str]:
        where = {"Bucket": self._place.bucket, "Key": self._key(digest)}
        found = self._session.call("s3", "get_object", absent=("NoSuchKey", "NoSuchBucket"), **where)
        return (None, "") if found is None else (found["Body"].read(), str(found["ETag"]))

    def _open(self, body: bytes, digest: str) -> Archive:
        """Open the stored bundle. Raises StaleError (4) if it is damaged or a different one."""
        where = self.url(digest)
        try:
            kept = archive.parse(body, Path(self._key(digest)))
        except NgpError as error:
            raise StaleError([replace(one, where=where) for one in error.findings]) from error
        if kept.digest != digest:
            raise StaleError(
                "the state bucket has a different bundle in the place of this one",
                where=where,
                why=f"its digest is {kept.digest[:12]}",
                todo="do not apply it; delete that object, then upload the right file: ngp bundle push FILE",
            )
        return kept

    def _put(self, digest: str, body: bytes, version: str) -> bool:
        """Overwrite a known version, or write a new object; return whether that version was still there."""
        condition: dict[str, Any] = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        where = {"Bucket": self._place.bucket, "Key": self._key(digest)}
        return self._session.once("s3", "put_object", absent=_MOVED, Body=body, **where, **condition) is not None


def keep(resolved: Resolved, session: Session, path: Path) -> str:
    """Store a bundle in the state bucket if ngp.yaml says so; return where, "" if only the file exists."""
    if resolved.platform.bundles is BundleKeeping.FILES:
        return ""
    library = Library(resolved, session)
    return library.url(library.push(path).digest)


def _add(opened: Archive, signatures: Iterable[bytes]) -> Archive:
    for signature in signatures:
        if signature not in opened.approvals:
            archive.add_approval(opened, signature)
            opened = archive.read(opened.path)
    return opened


def _approvals(path: Path, digest: str) -> Sequence[bytes]:
    """Return the approvals of this bundle that a file has, which may be another bundle or none."""
    try:
        found = archive.read(path)
    except NgpError:
        return ()
    return found.approvals if found.digest == digest else ()
