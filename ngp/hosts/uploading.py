"""Uploads of files and folders to one host by SFTP."""

from __future__ import annotations

import hashlib
import posixpath
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ngp.hosts.staging import PIECE, PRIVATE_FILE, PRIVATE_FOLDER, CopyError, Counter, Staged, compare, temporary_name


async def upload(connection: Any, sftp: Any, sources: Sequence[str], target: str, counter: Counter) -> None:
    """Copy files and folders to a path on a host. Raises CopyError and what asyncssh raises."""
    every = [path for source in sources for path, _ in files(Path(source), "")]
    counter.total = sum(path.stat().st_size for path in every if not path.is_dir())
    into = len(sources) > 1 or target.endswith("/") or await sftp.isdir(target)
    staged: list[Staged] = []
    made: list[tuple[str, int]] = []  # folders that were not there, with the modes that they get
    try:
        for source in sources:
            place = posixpath.join(target, Path(source).name) if into else target
            for path, final in files(Path(source), place):
                if not path.is_dir():
                    staged.append(await _put(sftp, path, final, counter))
                elif not await sftp.isdir(final):
                    await _make(sftp, final)
                    made.append((final, _mode(path)))
        await compare(connection, {one.temporary: one.digest for one in staged})
        for one in staged:
            await sftp.chmod(one.temporary, one.mode)
            await sftp.posix_rename(one.temporary, one.final)
        staged = []
        while made:
            await sftp.chmod(*made.pop())  # the innermost first: a folder may get a mode that lets nobody in
    finally:
        await _clean(sftp, staged, made)


async def _make(sftp: Any, folder: str) -> None:
    import asyncssh

    await sftp.makedirs(posixpath.dirname(folder.rstrip("/")) or ".", exist_ok=True)
    await sftp.mkdir(folder, asyncssh.SFTPAttrs(permissions=PRIVATE_FOLDER))


async def _put(sftp: Any, path: Path, final: str, counter: Counter) -> Staged:
    import asyncssh

    temporary = posixpath.join(posixpath.dirname(final), temporary_name(posixpath.basename(final)))
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            async with sftp.open(temporary, "xb", asyncssh.SFTPAttrs(permissions=PRIVATE_FILE)) as there:
                while piece := file.read(PIECE):
                    digest.update(piece)
                    await there.write(piece)
                    counter.add(len(piece))
    except BaseException as error:
        is_full = isinstance(error, Exception) and await _is_full(sftp, posixpath.dirname(final))
        with suppress(Exception):
            await sftp.remove(temporary)
        if is_full:
            raise CopyError("its disk is full") from None
        raise
    return Staged(temporary, final, str(path), digest.hexdigest(), _mode(path))


async def _clean(sftp: Any, staged: Sequence[Staged], made: Sequence[tuple[str, int]]) -> None:
    """Remove what a copy that failed has left."""
    for one in staged:
        with suppress(Exception):
            await sftp.remove(one.temporary)
    for folder, _ in reversed(made):
        with suppress(Exception):
            await sftp.rmdir(folder)


async def _is_full(sftp: Any, folder: str) -> bool:
    """Whether a disk has no room for one more piece; SFTP has no word for it."""
    with suppress(Exception):
        disk = await sftp.statvfs(folder or ".")
        return bool(disk.bavail * disk.frsize < PIECE)
    return False


def files(source: Path, place: str) -> Iterator[tuple[Path, str]]:
    """Yield a file, or a folder and all that is in it, with their remote paths; folders before what is in them."""
    yield source, place
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield from files(path, posixpath.join(place, path.name))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
