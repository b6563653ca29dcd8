"""Copies of files and folders to and from many hosts by SFTP: whole, compared by checksums, then renamed into place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp.errors import UsageError
from ngp.hosts import openssh
from ngp.hosts.downloading import download
from ngp.hosts.host import Host
from ngp.hosts.remote import Emit, HostResult, Options, work_all
from ngp.hosts.staging import CopyError, Counter
from ngp.hosts.uploading import files, upload


@dataclass(frozen=True)
class Copy:
    """`sources` and `target` without their colons; `is_up` copies from here to the hosts."""

    sources: tuple[str, ...]
    target: str
    is_up: bool
    folder_each: bool = False  # downloads go to a folder per host


def parse(words: Sequence[str], cwd: Path, hosts: int) -> Copy:
    """Parse ``SOURCE… TARGET``; paths on the hosts start with a colon. Raises UsageError (64)."""
    if len(words) < 2:
        raise UsageError("a copy needs a source and a target", todo="ngp host copy ENV FILE :/remote/folder")
    *sources, target = words
    remote = [word.startswith(":") for word in sources]
    if target.startswith(":") and not any(remote):
        paths = tuple(str(cwd / Path(word).expanduser()) for word in sources)
        missing = [path for path in paths if not Path(path).exists()]
        if missing:
            raise UsageError("this file or folder does not exist", where=missing[0])
        _require_files(paths)
        names = [Path(path).name for path in paths]
        if twice := [path for path in paths if names.count(Path(path).name) > 1]:
            raise UsageError("two sources have the same name", where=twice[1], todo="copy them to two folders")
        return Copy(paths, _remote(target), is_up=True)
    if all(remote) and not target.startswith(":"):
        return Copy(
            tuple(map(_remote, sources)), str(cwd / Path(target).expanduser()), is_up=False, folder_each=hosts > 1
        )
    raise UsageError("no path is on the hosts, or both sides are", todo="write a colon before one side: `:/etc/motd`")


def _require_files(sources: Sequence[str]) -> None:
    """Raise UsageError (64) for a pipe, a socket or a device: it may have no end, and hosts cannot share it."""
    for source in sources:
        for found in files(Path(source), ""):
            if not (found.problem or found.path.is_file() or found.path.is_dir()):
                raise UsageError(
                    "this is neither a file nor a folder", where=str(found.path), todo="copy its content from a file"
                )


def _remote(word: str) -> str:
    """The path behind the colon; SFTP begins in the home folder, which a shell calls ``~``."""
    path = word[1:]
    return (path[1:].lstrip("/") if path == "~" or path.startswith("~/") else path) or "."


def copy_all(hosts: Sequence[Host], copy: Copy, options: Options, emit: Emit) -> list[HostResult]:
    """Copy to or from all hosts; return a result for each, as `remote.run_all`. `emit` gets HostCopied events, too."""
    folders = openssh.aliases(hosts) if copy.folder_each else {}
    wanted = copy

    async def work(host: Host, connection: Any) -> str:
        import asyncssh

        copy = replace(wanted, target=f"{wanted.target}/{folders[host]}/") if folders else wanted
        counter = Counter(host, emit)
        try:
            sftp = await connection.start_sftp_client()
        except asyncssh.ChannelOpenError as error:
            return f"its sshd offers no SFTP: {str(error).lower()}"
        async with sftp:
            try:
                await (upload if copy.is_up else download)(connection, sftp, copy.sources, copy.target, counter)
            except CopyError as error:
                return str(error)
            except asyncssh.Error as error:  # including a lost connection
                return str(error).lower()
            except OSError as error:
                return f"{error.strerror or error}".lower()
        return ""

    return work_all(hosts, work, options, emit)
