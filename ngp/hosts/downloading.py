"""Downloads of files and folders from one host by SFTP.

A host may say anything: nothing is written outside the target, and no mode makes a program of another user's rights.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ngp.hosts.staging import PIECE, PRIVATE_FILE, PRIVATE_FOLDER, CopyError, Counter, Staged, compare, temporary_name

_PATTERN = re.compile(r"[*?\[]")
_PERMISSIONS = 0o777  # without setuid, setgid and sticky


@dataclass
class _Target:
    """What a download has made here so far: folders in the order of their making, with the modes that they get."""

    umask: int
    staged: list[Staged] = field(default_factory=list)
    made: list[tuple[Path, int]] = field(default_factory=list)

    def mode(self, attributes: Any, default: int) -> int:
        """The mode that a file of a host has here."""
        said = attributes.permissions
        return (default if said is None else int(said)) & _PERMISSIONS & ~self.umask

    def finish(self) -> None:
        """Put files into place, then give folders their modes, the innermost first."""
        for one in self.staged:
            Path(one.temporary).chmod(one.mode)
            Path(one.temporary).replace(one.final)
        self.staged = []
        while self.made:
            folder, mode = self.made.pop()
            folder.chmod(mode)

    def clean(self) -> None:
        """Remove what a copy that failed has left."""
        for one in self.staged:
            Path(one.temporary).unlink(missing_ok=True)
        for folder, _ in reversed(self.made):
            with suppress(OSError):
                folder.rmdir()


async def download(connection: Any, sftp: Any, sources: Sequence[str], target: str, counter: Counter) -> None:
    """Copy what paths and patterns mean on a host to a path here. Raises CopyError and what asyncssh raises."""
    base = Path(target)
    several = len(sources) > 1 or bool(_PATTERN.search(sources[0]))
    into = several or base.is_dir() or target.endswith("/")
    here = _Target(_umask())
    try:
        found = [path for source in sources for path in await _matching(sftp, source)]
        for source in found:
            counter.total += await _size(sftp, source)
        for source in found:
            name = posixpath.basename(source.rstrip("/")) or "root"
            await _get(sftp, source, base / name if into else base, here, counter)
        await compare(connection, {one.source: one.digest for one in here.staged})
        here.finish()
    finally:
        here.clean()


async def _matching(sftp: Any, source: str) -> list[str]:
    """The paths that a source means on a host: that one, or those that match it as a pattern. Raises SFTPError."""
    is_pattern = bool(_PATTERN.search(source)) and not await sftp.exists(source)
    if not is_pattern:
        return [source]
    found = [str(path) for path in await sftp.glob(source)]
    return sorted(path for path in found if posixpath.basename(path) not in (".", ".."))  # never out of the target


async def _get(sftp: Any, source: str, final: Path, here: _Target, counter: Counter) -> None:
    attributes = await sftp.stat(source)
    final.parent.mkdir(parents=True, exist_ok=True)
    if not await sftp.isdir(source):
        temporary = final.with_name(temporary_name(final.name))
        here.staged.append(Staged(str(temporary), str(final), source, "", here.mode(attributes, 0o644)))
        here.staged[-1] = replace(here.staged[-1], digest=await _fetch(sftp, source, temporary, counter))
        return
    if not final.is_dir():
        final.mkdir(mode=PRIVATE_FOLDER)
        here.made.append((final, here.mode(attributes, 0o755)))
    for name in sorted(await sftp.listdir(source)):
        if "\0" in name:
            raise CopyError(f"it lists a name that no file can have: {name!r}")
        if name not in (".", "..") and "/" not in name:  # never out of the folder, whatever the host says
            await _get(sftp, posixpath.join(source, name), final / name, here, counter)


async def _fetch(sftp: Any, source: str, temporary: Path, counter: Counter) -> str:
    """Fetch a file; return its checksum."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
        async with sftp.open(source, "rb") as there:
            while piece := await there.read(PIECE):
                digest.update(piece)
                file.write(piece)
                counter.add(len(piece))
    return digest.hexdigest()


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
