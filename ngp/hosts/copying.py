"""Copies of files and folders to and from many hosts by SFTP: whole, compared by checksums, then renamed into place."""

from __future__ import annotations

import hashlib
import posixpath
import re
import secrets
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp.errors import UsageError
from ngp.hosts import openssh
from ngp.hosts.host import Host
from ngp.hosts.remote import HostCopied, HostResult, Options, Tell, work_all

_PIECE = 128 * 1024
_PATTERN = re.compile(r"[*?\[]")
_AT_ONCE = 100  # files for one sha256sum


class CopyError(Exception):
    """A copy that did not succeed; the text says why."""


@dataclass(frozen=True)
class Copy:
    """`sources` and `target` without their colons; `is_up` copies from here to the hosts."""

    sources: tuple[str, ...]
    target: str
    is_up: bool
    folder_each: bool = False  # downloads go to a folder per host


@dataclass(frozen=True)
class _Staged:
    """A file under its temporary name, with the checksum of what it must hold."""

    temporary: str
    final: str
    source: str
    digest: str


@dataclass
class _Counter:
    """Counts the bytes of one host and tells of them."""

    host: Host
    tell: Tell
    total: int = 0
    done: int = 0

    def add(self, size: int) -> None:
        """Count bytes that were copied. A file that grows meanwhile makes no share above 100 %."""
        self.done += size
        self.tell(HostCopied(self.host, min(self.done, self.total), self.total))


def parse(words: Sequence[str], cwd: Path, hosts: int) -> Copy:
    """Read ``SOURCE… TARGET``; a colon stands before what is on the hosts. Raises UsageError (64)."""
    if len(words) < 2:
        raise UsageError("a copy needs a source and a target", todo="ngp host copy ENV FILE :/remote/folder")
    *sources, target = words
    remote = [word.startswith(":") for word in sources]
    if target.startswith(":") and not any(remote):
        paths = tuple(str(cwd / Path(word).expanduser()) for word in sources)
        missing = [path for path in paths if not Path(path).exists()]
        if missing:
            raise UsageError("there is no such file or folder", where=missing[0])
        return Copy(paths, _remote(target), is_up=True)
    if all(remote) and not target.startswith(":"):
        return Copy(
            tuple(map(_remote, sources)), str(cwd / Path(target).expanduser()), is_up=False, folder_each=hosts > 1
        )
    raise UsageError("one side must be on the hosts", todo="write a colon before it: `:/etc/motd`")


def _remote(word: str) -> str:
    """The path behind the colon; SFTP begins in the home folder, which a shell calls ``~``."""
    path = word[1:]
    return (path[1:].lstrip("/") if path == "~" or path.startswith("~/") else path) or "."


def copy_all(hosts: Sequence[Host], copy: Copy, options: Options, tell: Tell) -> list[HostResult]:
    """Copy to or from all hosts; return a result for each, as `remote.run_all`. `tell` gets HostCopied events, too."""
    folders = openssh.aliases(hosts) if copy.folder_each else {}
    wanted = copy

    async def work(host: Host, connection: Any) -> str:
        import asyncssh

        copy = replace(wanted, target=f"{wanted.target}/{folders[host]}/") if folders else wanted
        counter = _Counter(host, tell)
        try:
            sftp = await connection.start_sftp_client()
        except asyncssh.ChannelOpenError as error:
            return f"its sshd gives no SFTP: {str(error).lower()}"
        async with sftp:
            try:
                await (_upload if copy.is_up else _download)(connection, sftp, copy, counter)
            except CopyError as error:
                return str(error)
            except asyncssh.Error as error:  # also a connection that was lost
                return str(error).lower()
            except OSError as error:
                return f"{error.strerror or error}".lower()
        return ""

    return work_all(hosts, work, options, tell)


async def _upload(connection: Any, sftp: Any, copy: Copy, counter: _Counter) -> None:
    every = [path for source in copy.sources for path, _ in _files(Path(source), "")]
    counter.total = sum(path.stat().st_size for path in every if not path.is_dir())
    into = len(copy.sources) > 1 or copy.target.endswith("/") or await sftp.isdir(copy.target)
    staged: list[_Staged] = []
    try:
        for source in copy.sources:
            place = posixpath.join(copy.target, Path(source).name) if into else copy.target
            for path, final in _files(Path(source), place):
                if path.is_dir():
                    await sftp.makedirs(final, exist_ok=True)
                    await sftp.chmod(final, stat.S_IMODE(path.stat().st_mode))
                else:
                    staged.append(await _put(sftp, path, final, counter))
        await _compare(connection, {one.temporary: one.digest for one in staged})
        for one in staged:
            await sftp.posix_rename(one.temporary, one.final)
        staged = []
    finally:
        for one in staged:
            with suppress(Exception):
                await sftp.remove(one.temporary)


async def _put(sftp: Any, path: Path, final: str, counter: _Counter) -> _Staged:
    temporary = posixpath.join(posixpath.dirname(final), f".{posixpath.basename(final)}.{secrets.token_hex(4)}")
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            async with sftp.open(temporary, "wb") as there:
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    await there.write(piece)
                    counter.add(len(piece))
        await sftp.chmod(temporary, stat.S_IMODE(path.stat().st_mode))
    except BaseException as error:
        is_full = isinstance(error, Exception) and await _is_full(sftp, posixpath.dirname(final))
        with suppress(Exception):
            await sftp.remove(temporary)
        if is_full:
            raise CopyError("its disk is full") from None
        raise
    return _Staged(temporary, final, str(path), digest.hexdigest())


async def _download(connection: Any, sftp: Any, copy: Copy, counter: _Counter) -> None:
    base = Path(copy.target)
    several = len(copy.sources) > 1 or bool(_PATTERN.search(copy.sources[0]))
    into = several or base.is_dir() or copy.target.endswith("/")
    staged: list[_Staged] = []
    try:
        sources = [path for source in copy.sources for path in await _matching(sftp, source)]
        for source in sources:
            counter.total += await _size(sftp, source)
        for source in sources:
            name = posixpath.basename(source.rstrip("/")) or "root"
            await _get(sftp, source, base / name if into else base, staged, counter)
        await _compare(connection, {one.source: one.digest for one in staged})
        for one in staged:
            Path(one.temporary).replace(one.final)
        staged = []
    finally:
        for one in staged:
            Path(one.temporary).unlink(missing_ok=True)


async def _matching(sftp: Any, source: str) -> list[str]:
    """The paths that a source means on a host: that one, or those that match it as a pattern. Raises SFTPError."""
    is_pattern = bool(_PATTERN.search(source)) and not await sftp.exists(source)
    if not is_pattern:
        return [source]
    found = [str(path) for path in await sftp.glob(source)]
    return sorted(path for path in found if posixpath.basename(path) not in (".", ".."))  # never out of the target


async def _get(sftp: Any, source: str, final: Path, staged: list[_Staged], counter: _Counter) -> None:
    mode = stat.S_IMODE((await sftp.stat(source)).permissions or 0o644)
    if await sftp.isdir(source):
        final.mkdir(parents=True, exist_ok=True)
        for name in sorted(await sftp.listdir(source)):
            if name not in (".", "..") and "/" not in name:  # never out of the folder, whatever the host says
                await _get(sftp, posixpath.join(source, name), final / name, staged, counter)
        final.chmod(mode)
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(4)}")
    digest = hashlib.sha256()
    staged.append(_Staged(str(temporary), str(final), source, ""))
    with temporary.open("xb") as file:
        async with sftp.open(source, "rb") as there:
            while piece := await there.read(_PIECE):
                digest.update(piece)
                file.write(piece)
                counter.add(len(piece))
    temporary.chmod(mode)
    staged[-1] = _Staged(str(temporary), str(final), source, digest.hexdigest())


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


async def _compare(connection: Any, digests: dict[str, str]) -> None:
    """Raise CopyError where a file on the host does not have its checksum."""
    paths = list(digests)
    for at in range(0, len(paths), _AT_ONCE):
        some = paths[at : at + _AT_ONCE]
        commands = "; ".join(f"sha256sum < {shlex.quote(path)}" for path in some)
        done = await connection.run(commands, check=False)
        found = [line.split()[0] for line in str(done.stdout).splitlines() if line.split()]
        if found != [digests[path] for path in some]:
            raise CopyError(f"a checksum differs after the copy: {str(done.stderr).strip() or ', '.join(some)}")


async def _is_full(sftp: Any, folder: str) -> bool:
    """Whether a disk has no room for one more piece; SFTP has no word for it."""
    with suppress(Exception):
        disk = await sftp.statvfs(folder or ".")
        return bool(disk.bavail * disk.frsize < _PIECE)
    return False


def _files(source: Path, place: str) -> Iterator[tuple[Path, str]]:
    """A file, or a folder and all that is in it, with their remote paths; folders before what is in them."""
    yield source, place
    if source.is_dir():
        for path in sorted(source.iterdir()):
            yield from _files(path, posixpath.join(place, path.name))
