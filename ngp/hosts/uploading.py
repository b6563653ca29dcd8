"""Uploads of files and folders to one host by SFTP."""

from __future__ import annotations

import hashlib
import posixpath
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ngp.hosts.staging import (
    PIECE,
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    CopyError,
    Counter,
    Staged,
    about,
    differing,
    require_all,
    temporary_name,
)


async def upload(connection: Any, sftp: Any, sources: Sequence[str], target: str, counter: Counter) -> None:
    """Copy files and folders to a path on a host. Raises CopyError and what asyncssh raises."""
    every = [found.path for source in sources for found in files(Path(source), "")]
    counter.total = sum(path.stat().st_size for path in every if path.is_file())
    into = len(sources) > 1 or target.endswith("/") or await sftp.isdir(target)
    there = _There(sftp)
    try:
        for source in sources:
            place = posixpath.join(target, Path(source).name) if into else target
            for found in files(Path(source), place):
                if found.problem:
                    there.problems.append(f"{found.path} here: {found.problem}")
                elif found.path.is_dir():
                    await there.make(found.final, _mode(found.path))
                else:
                    there.staged.append(await _put(sftp, found.path, found.final, counter))
        await there.finish(await differing(connection, {one.temporary: one for one in there.staged}))
    finally:
        await there.clean()
    require_all(there.problems)


@dataclass
class _There:
    """What an upload has made so far: folders in the order of their making, with the modes that they get."""

    sftp: Any
    staged: list[Staged] = field(default_factory=list)
    made: list[tuple[str, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def make(self, folder: str, mode: int) -> None:
        """Make a missing folder; its mode is set at the end."""
        with about(folder):
            if not await self.sftp.isdir(folder):
                await _make(self.sftp, folder)
                self.made.append((folder, mode))

    async def finish(self, bad: Mapping[str, str]) -> None:
        """Put the good files into place, then give folders their modes, the innermost first."""
        for one in [*self.staged]:
            if one.temporary in bad:
                self.problems.append(f"{one.final} on the host: {bad[one.temporary]}")
                continue
            with about(one.final):
                await self.sftp.chmod(one.temporary, one.mode)
                await self.sftp.posix_rename(one.temporary, one.final)
            self.staged.remove(one)
        while self.made:
            await self.sftp.chmod(*self.made.pop())

    async def clean(self) -> None:
        """Remove what was not put into place."""
        for one in self.staged:
            with suppress(Exception):
                await self.sftp.remove(one.temporary)
        for folder, _ in reversed(self.made):
            with suppress(Exception):
                await self.sftp.rmdir(folder)


async def _make(sftp: Any, folder: str) -> None:
    import asyncssh

    await sftp.makedirs(posixpath.dirname(folder.rstrip("/")) or ".", exist_ok=True)
    await sftp.mkdir(folder, asyncssh.SFTPAttrs(permissions=PRIVATE_FOLDER))


async def _put(sftp: Any, path: Path, final: str, counter: Counter) -> Staged:
    temporary = posixpath.join(posixpath.dirname(final), temporary_name(posixpath.basename(final)))
    with about(path, here=True), about(final):
        mode = _mode(path)
        try:
            with path.open("rb") as file:
                size, digest = await _send(sftp, file, temporary, counter)
        except BaseException as error:
            is_full = isinstance(error, Exception) and await _is_full(sftp, posixpath.dirname(final))
            with suppress(Exception):
                await sftp.remove(temporary)
            if is_full:
                raise CopyError("its disk is full") from None
            raise
    return Staged(temporary, final, str(path), size, digest, mode)


async def _send(sftp: Any, file: BinaryIO, temporary: str, counter: Counter) -> tuple[int, str]:
    """Send a file; return its size and its checksum."""
    import asyncssh

    size, digest = 0, hashlib.sha256()
    async with sftp.open(temporary, "xb", asyncssh.SFTPAttrs(permissions=PRIVATE_FILE)) as there:
        while piece := file.read(PIECE):
            digest.update(piece)
            await there.write(piece)
            counter.add(len(piece))
            size += len(piece)
    return size, digest.hexdigest()


async def _is_full(sftp: Any, folder: str) -> bool:
    """Whether a disk has no room for one more piece; SFTP has no word for it."""
    with suppress(Exception):
        disk = await sftp.statvfs(folder or ".")
        return bool(disk.bavail * disk.frsize < PIECE)
    return False


@dataclass(frozen=True)
class UploadEntry:
    """A file or folder here, its path on the host, and why it is not copied, if it is not."""

    path: Path
    final: str
    problem: str = ""


def files(source: Path, place: str, above: tuple[Path, ...] = ()) -> Iterator[UploadEntry]:
    """Yield a file, or a folder and all that is in it, with their remote paths; folders before what is in them.

    A link to a folder that it is in is not followed: it has no end.
    """
    if not source.exists():
        yield UploadEntry(source, place, "the target of this link does not exist")
    elif not source.is_dir():
        yield UploadEntry(source, place)
    elif (real := source.resolve()) in above:
        yield UploadEntry(source, place, "this link points to a folder that contains it")
    else:
        yield UploadEntry(source, place)
        for path in sorted(source.iterdir()):
            yield from files(path, posixpath.join(place, path.name), (*above, real))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
