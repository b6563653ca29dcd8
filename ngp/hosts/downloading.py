"""Downloads of files and folders from one host by SFTP.

A host may say anything: nothing is written outside the target, and no mode makes a program of another user's rights.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
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

_PATTERN = re.compile(r"[*?\[]")
_PERMISSIONS = 0o777  # without setuid, setgid and sticky


async def download(connection: Any, sftp: Any, sources: Sequence[str], target: str, counter: Counter) -> None:
    """Copy what paths and patterns mean on a host to a path here. Raises CopyError and what asyncssh raises."""
    base = Path(target)
    several = len(sources) > 1 or bool(_PATTERN.search(sources[0]))
    into = several or base.is_dir() or target.endswith("/")
    here = _Here(sftp, counter, _umask())
    try:
        found = [path for source in sources for path in await _matching(sftp, source)]
        finals = {path: base / (posixpath.basename(path.rstrip("/")) or "root") if into else base for path in found}
        _require_distinct(finals)
        for source in finals:
            with about(source):
                counter.total += await _size(sftp, source)
        for source, final in finals.items():
            await here.get(source, final)
        here.finish(await differing(connection, {one.source: one for one in here.staged}, grow=True))
    finally:
        here.clean()
    require_all(here.problems)


@dataclass
class _Here:
    """What a download has made here so far: folders in the order of their making, with the modes that they get."""

    sftp: Any
    counter: Counter
    umask: int
    staged: list[Staged] = field(default_factory=list)
    made: list[tuple[Path, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def get(self, source: str, final: Path, above: tuple[str, ...] = ()) -> None:
        """Get a file, or a folder and all that is in it; `above` has the real paths of the folders that it is in."""
        import asyncssh

        with about(source):
            try:
                attributes = await self.sftp.stat(source)
            except asyncssh.SFTPNoSuchFile:
                if not above:
                    raise
                self._skip(source, "the target of this link does not exist")
                return
            is_folder = await self.sftp.isdir(source)
            real = str(await self.sftp.realpath(source)) if is_folder else ""
        if is_folder and real in above:
            self._skip(source, "this link points to a folder that contains it")
        elif is_folder:
            self._make(final, self._mode(attributes, 0o755))
            await self._get_all(source, final, (*above, real))
        elif attributes.type not in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN):
            self._skip(source, "this is neither a file nor a folder")
        else:
            await self._get_file(source, final, self._mode(attributes, 0o644))

    async def _get_all(self, source: str, final: Path, above: tuple[str, ...]) -> None:
        with about(source):
            names = sorted(await self.sftp.listdir(source))
        for name in names:
            if "\0" in name:
                raise CopyError(f"it lists an invalid file name: {name!r}")
            if name not in (".", "..") and "/" not in name:  # never outside of the folder, whatever the host sends
                await self.get(posixpath.join(source, name), final / name, above)

    async def _get_file(self, source: str, final: Path, mode: int) -> None:
        temporary = final.with_name(temporary_name(final.name))
        with about(final, here=True), about(source):
            final.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            self.staged.append(Staged(str(temporary), str(final), source, 0, "", mode))
            with os.fdopen(handle, "wb") as file:
                async with self.sftp.open(source, "rb") as there:
                    size, digest = await _fetch(there, file, self.counter)
        self.staged[-1] = replace(self.staged[-1], size=size, digest=digest)

    def _make(self, folder: Path, mode: int) -> None:
        """Make a missing folder; its mode is set at the end."""
        with about(folder, here=True):
            folder.parent.mkdir(parents=True, exist_ok=True)
            if not folder.is_dir():
                folder.mkdir(mode=PRIVATE_FOLDER)
                self.made.append((folder, mode))

    def _mode(self, attributes: Any, default: int) -> int:
        """The mode that a file of a host has here."""
        permissions = attributes.permissions
        return (default if permissions is None else int(permissions)) & _PERMISSIONS & ~self.umask

    def _skip(self, source: str, why: str) -> None:
        self.problems.append(f"{source} on the host: {why}")

    def finish(self, bad: Mapping[str, str]) -> None:
        """Put the good files into place, then give folders their modes, the innermost first."""
        for one in [*self.staged]:
            if one.source in bad:
                self._skip(one.source, bad[one.source])
                continue
            with about(one.final, here=True):
                Path(one.temporary).chmod(one.mode)
                Path(one.temporary).replace(one.final)
            self.staged.remove(one)
        while self.made:
            folder, mode = self.made.pop()
            folder.chmod(mode)

    def clean(self) -> None:
        """Remove what was not put into place."""
        for one in self.staged:
            Path(one.temporary).unlink(missing_ok=True)
        for folder, _ in reversed(self.made):
            with suppress(OSError):
                folder.rmdir()


def _require_distinct(finals: Mapping[str, Path]) -> None:
    """Raise CopyError if one file would replace another."""
    first: dict[Path, str] = {}
    for source, final in finals.items():
        if final in first:
            raise CopyError(f"{first[final]} and {source} have the same name; copy them to two folders")
        first[final] = source


async def _matching(sftp: Any, source: str) -> list[str]:
    """The paths that a source means on a host: that one, or those that match it as a pattern. Raises CopyError."""
    with about(source):
        is_pattern = bool(_PATTERN.search(source)) and not await sftp.exists(source)
        if not is_pattern:
            return [source]
        found = {str(path) for path in await sftp.glob(source)}
    return sorted(path for path in found if posixpath.basename(path) not in (".", ".."))  # never out of the target


async def _fetch(there: Any, file: BinaryIO, counter: Counter) -> tuple[int, str]:
    """Fetch a file; return its size and its checksum."""
    size, digest = 0, hashlib.sha256()
    while piece := await there.read(PIECE):
        digest.update(piece)
        file.write(piece)
        counter.add(len(piece))
        size += len(piece)
    return size, digest.hexdigest()


async def _size(sftp: Any, source: str) -> int:
    """The bytes of a file, or of all files in a folder: one listing each, and a question for each link."""
    import asyncssh

    if not await sftp.isdir(source):
        return int((await sftp.stat(source)).size or 0)
    total = 0
    for entry in await sftp.readdir(source):
        path = posixpath.join(source, entry.filename)
        kind = entry.attrs.type
        if kind == asyncssh.FILEXFER_TYPE_SYMLINK:
            with suppress(asyncssh.SFTPNoSuchFile):  # it leads nowhere
                total += 0 if await sftp.isdir(path) else await sftp.getsize(path)
        elif kind != asyncssh.FILEXFER_TYPE_DIRECTORY:
            total += entry.attrs.size or 0
        elif entry.filename not in (".", ".."):
            total += await _size(sftp, path)
    return total


def _umask() -> int:
    """The umask of this process; a file that another thread makes meanwhile is closed to other users."""
    found = os.umask(0o077)
    os.umask(found)
    return found
