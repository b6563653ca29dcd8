"""The file of a bundle: an uncompressed tar of a statement, what it states, and the signatures over it.

The members are, in this order: ``statement.json``; the content, each member of which the statement names with its
digest and mode; ``approvals/N.sig``; ``checksum``, the SHA-256 of all bytes before it. The statement binds the content
and a signature binds the statement. The checksum finds damage, not fraud.

The tar has one form only: the same members always give the same bytes, and a file with other bytes is refused.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ngp import files
from ngp.errors import NgpError, StaleError, UsageError
from ngp.runs.bundle.members import Content as Content
from ngp.runs.bundle.members import Member as Member

STATEMENT = "statement.json"
APPROVALS = "approvals/"
SEALED = "sealed.age"  # all of the content where it is encrypted
_CHECKSUM = "checksum"
_MOST_STATEMENT = 64 * 1024 * 1024  # bytes that are read into memory at once
_MOST_SIGNATURE = 1024 * 1024


@dataclass(frozen=True)
class Archive:
    """An opened bundle file whose form, checksum and member headers were checked.

    `statement` is the exact text that is signed; `approvals` are the signatures over it. `data` is the whole tar of a
    bundle that was decrypted in memory.
    """

    path: Path
    statement: bytes
    members: Mapping[str, Member]
    approvals: Sequence[bytes]
    data: bytes = b""

    @property
    def digest(self) -> str:
        """The SHA-256 of the statement, which names the bundle."""
        return hashlib.sha256(self.statement).hexdigest()

    def read(self, name: str) -> bytes:
        """Return the bytes of one member of the content."""
        with self._open() as tar:
            return _bytes(tar, name)

    def extract(self, prefix: str, folder: Path) -> None:
        """Write the members whose names start with `prefix` into `folder`, readable by the owner only.

        Raises StaleError (4) for a link that leads out of the folder.
        """
        with self._open() as tar:
            for name, member in self.members.items():
                if name.startswith(prefix):
                    target = folder / name.removeprefix(prefix)
                    files.private_folder(target.parent)
                    _extract(tar, member, target, folder)

    def _open(self) -> tarfile.TarFile:
        return tarfile.open(self.path, "r:", io.BytesIO(self.data) if self.data else None)


def write(path: Path, statement: bytes, content: Mapping[str, Content], approvals: Sequence[bytes] = ()) -> None:
    """Write a bundle file (0600) atomically. Raises NgpError if that fails."""
    with replacing(path) as file:
        _write(file, statement, ((one.member(name), one) for name, one in content.items()), approvals)


def dump(statement: bytes, content: Mapping[str, Content]) -> bytes:
    """Return the bytes of a bundle file."""
    file = io.BytesIO()
    _write(file, statement, ((one.member(name), one) for name, one in content.items()), ())
    return file.getvalue()


def add_approval(archive: Archive, signature: bytes) -> None:
    """Rewrite the bundle file with one more signature."""
    with tarfile.open(archive.path, "r:") as tar, replacing(archive.path) as file:
        content = ((member, Content(_bytes(tar, member.name))) for member in archive.members.values())
        _write(file, archive.statement, content, [*archive.approvals, signature])


def read(path: Path) -> Archive:
    """Open a bundle file and check its form and checksum.

    Raises UsageError (64) if the file is missing or not a bundle, StaleError (4) if it is damaged.
    """
    try:
        return parse(path.read_bytes(), path)
    except FileNotFoundError:
        raise UsageError(f"the bundle {path} does not exist", todo="make one: ngp plan ENV --out FILE") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a bundle") from None


def parse(data: bytes, path: Path) -> Archive:
    """Open a bundle in memory; `path` is its file. Raises StaleError (4) if it is damaged."""
    return replace(_parse(path, io.BytesIO(data)), data=data)


def _parse(path: Path, file: io.BufferedIOBase) -> Archive:
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            return _read(path, tar, file)
    except (tarfile.TarError, EOFError, UnicodeError, ValueError) as error:
        raise _damaged(path, f"it is not a complete tar file: {error}") from error


def is_bundle(path: Path) -> bool:
    """Whether a file starts like a bundle, with the statement as its first member."""
    try:
        with path.open("rb") as file:
            return file.read(len(STATEMENT) + 1) == f"{STATEMENT}\0".encode()
    except OSError:
        return False


def _read(path: Path, tar: tarfile.TarFile, file: io.BufferedIOBase) -> Archive:
    found = [_member(tar, one) for one in tar.getmembers()]
    names = [one.name for one in found]
    if len(names) < 2 or names[0] != STATEMENT or len(set(names)) != len(names):
        raise _damaged(path, f"its first member is not {STATEMENT}, or a name occurs twice")
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise _damaged(path, f"the member {name} points outside the bundle")
    content = {one.name: one for one in found[1:] if one.name != _CHECKSUM and not one.name.startswith(APPROVALS)}
    approvals = [one for one in found if one.name.startswith(APPROVALS)]
    if any(one.size > _MOST_SIGNATURE for one in approvals) or found[0].size > _MOST_STATEMENT:
        raise _damaged(path, "its statement or a signature is too large")
    archive = Archive(path, _bytes(tar, STATEMENT), content, [_bytes(tar, one.name) for one in approvals])
    if names[-1] != _CHECKSUM or not _is_canonical(file, tar, archive):
        raise _damaged(path, "its checksum is wrong")
    return archive


def require_stated(archive: Archive, stated: Mapping[str, Member]) -> None:
    """Raise StaleError (4) with every member that differs from the statement."""
    names = sorted(archive.members.keys() | stated.keys())
    wrong = [name for name in names if _identity(archive.members.get(name)) != _identity(stated.get(name))]
    if wrong:
        raise _damaged(archive.path, f"not as the statement says: {', '.join(wrong)}")


def _identity(member: Member | None) -> tuple[str, int, bool] | None:
    return None if member is None else (member.digest, member.mode, bool(member.link))


def _is_canonical(file: io.BufferedIOBase, tar: tarfile.TarFile, archive: Archive) -> bool:
    """Whether rewriting the archive gives the same bytes."""
    digest = _Digest()
    content = ((one, Content(_bytes(tar, one.name))) for one in archive.members.values())
    _write(digest, archive.statement, content, archive.approvals)
    file.seek(0)
    return digest.hexdigest() == hashlib.file_digest(file, "sha256").hexdigest()


class _Digest(io.RawIOBase):
    """A write-only file that computes the digest of its content."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._digest.update(data)
        return len(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class _Writer:
    """Writes members one after the other and computes their checksum."""

    def __init__(self, file: io.RawIOBase | io.BufferedIOBase) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def add(self, member: Member, chunks: Iterable[bytes]) -> None:
        info = tarfile.TarInfo(member.name)
        info.mode, info.size = member.mode, member.size
        if member.link:
            info.type, info.linkname = tarfile.SYMTYPE, member.link
        self._put(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
        size = 0
        for chunk in chunks:
            size += len(chunk)
            self._put(chunk)
        if size != member.size:
            raise NgpError(f"{member.name} changed while ngp wrote the bundle", todo="run the command again")
        self._put(bytes(-size % tarfile.BLOCKSIZE))

    def end(self) -> None:
        text = self._digest.hexdigest().encode()
        self.add(Member(_CHECKSUM, "", size=len(text)), [text])
        self._put(bytes(2 * tarfile.BLOCKSIZE))

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


def _write(
    file: io.RawIOBase | io.BufferedIOBase,
    statement: bytes,
    content: Iterable[tuple[Member, Content]],
    approvals: Sequence[bytes],
) -> None:
    writer = _Writer(file)
    writer.add(Member(STATEMENT, "", size=len(statement)), [statement])
    for member, one in content:
        writer.add(member, [] if member.link else one.chunks())
    for number, signature in enumerate(approvals, 1):
        writer.add(Member(f"{APPROVALS}{number}.sig", "", size=len(signature)), [signature])
    writer.end()


def _bytes(tar: tarfile.TarFile, name: str) -> bytes:
    """Yield the bytes of a file; none for a link."""
    found = None if tar.getmember(name).issym() else tar.extractfile(name)
    return found.read() if found else b""


def _member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.issym():
        return Member(info.name, hashlib.sha256(info.linkname.encode()).hexdigest(), info.mode, link=info.linkname)
    if not info.isreg():
        raise ValueError(f"{info.name} is neither a file nor a link")
    data = _bytes(tar, info.name)
    if len(data) != info.size:
        raise EOFError(f"{info.name} is cut off")
    return Member(info.name, hashlib.sha256(data).hexdigest(), info.mode, info.size)


def _extract(tar: tarfile.TarFile, member: Member, target: Path, folder: Path) -> None:
    if member.link:
        inside = Path(os.path.normpath(target.parent / member.link))
        if PurePosixPath(member.link).is_absolute() or not inside.is_relative_to(folder):
            raise StaleError(f"the link {member.name} in the bundle points outside it", todo="do not apply this bundle")
        target.symlink_to(member.link)
        return
    files.require_no_links(target)
    target.write_bytes(_bytes(tar, member.name))
    target.chmod(member.mode)


@contextmanager
def replacing(path: Path) -> Iterator[io.BufferedWriter]:
    """Open a new file (0600) that takes the place of `path` at the end.

    Raises UsageError (64) for a place where no file can be made, NgpError for a disk that refuses the content.
    """
    refused: type[NgpError] = UsageError
    try:
        with files.replacing(path, mode=0o600) as file:
            refused = NgpError
            yield file
    except OSError as error:
        raise refused(f"cannot write {path}", why=error.strerror or str(error)) from error


def _damaged(path: Path, why: str) -> StaleError:
    return StaleError(
        "the bundle is damaged", where=str(path), why=why, todo="download it again, or make a new one with `ngp plan`"
    )
