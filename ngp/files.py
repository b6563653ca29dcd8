"""Writes files of the project: atomic writes, private folders, locks."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ngp.errors import LockHeldError, RefusedError

WORKSPACE = ".ngp"  # the private folder of a platform

_SYNCS = 16  # files that wait for the disk at once: it takes many in nearly the time of one
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: Path, text: str, *, mode: int = 0o644, durable: bool = True) -> bool:
    """Write `text` to `path` at once or not at all; return whether the file changed.

    A reader sees the old text or the new one; a full disk leaves the old file as it was and no rest behind. Unless it
    is to be `durable`, nobody waits for the disk: after a crash of the machine the file may be torn.
    """
    return write_bytes(path, text.encode("utf-8"), mode=mode, durable=durable)


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> bool:
    """Like `write`, for any content."""
    require_no_links(path.parent)
    with suppress(FileNotFoundError):
        if not path.is_symlink() and path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode=mode, durable=durable) as file:
        file.write(data)
    return True


@contextmanager
def replacing(path: Path, *, mode: int = 0o644, durable: bool = True) -> Iterator[io.BufferedWriter]:
    """Yield a new file beside `path` that replaces it at the end; after an error `path` is unchanged."""
    handle, rest = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(rest).chmod(mode)
        Path(rest).replace(path)
    except BaseException:
        Path(rest).unlink(missing_ok=True)
        raise


def unify_lines(data: bytes) -> bytes:
    """Return a text with LF as its line end, as Git stores it; a binary (with a NUL) is unchanged.

    Git may check texts out with CRLF (core.autocrlf), which is not a change of their content.
    """
    return data if b"\0" in data else data.replace(b"\r\n", b"\n")


def write_all(files: dict[Path, str]) -> list[Path]:
    """Write many files so that a failure (a full disk) leaves every one of them as it was.

    All texts are put beside their targets first; only when each of them is on the disk are they moved
    into place, which needs no more room. A file keeps its permissions. Returns the paths that changed.
    """
    from concurrent.futures import ThreadPoolExecutor

    changed: list[tuple[Path, Path]] = []
    made: dict[Path, None] = {}
    ready = set[Path]()  # folders that are there
    try:
        for path, text in files.items():
            data = text.encode("utf-8")
            if _holds(path, data):
                continue
            if path.parent not in ready:
                made |= dict.fromkeys(_make_folder(path.parent))
                ready.add(path.parent)
            handle, rest = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            changed.append((Path(rest), path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(rest).chmod(_mode(path))
        with ThreadPoolExecutor(_SYNCS) as pool:
            for _ in pool.map(_sync, [staged for staged, _ in changed]):
                pass
            # by a thread that no signal interrupts: all files are replaced, or none
            pool.submit(_replace, changed).result()
    except BaseException:
        for staged, _ in changed:
            staged.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise
    return [path for _, path in changed]


def _replace(changed: Iterable[tuple[Path, Path]]) -> None:
    for staged, path in changed:
        staged.replace(path)


def remove_all(paths: Iterable[Path]) -> None:
    """Delete files, and folders with their contents; missing ones are ignored."""
    for path in paths:
        while path.is_dir() and not path.is_symlink():
            with suppress(FileNotFoundError):  # somebody else clears it too, so it is nearer to its end each time
                shutil.rmtree(path)
        path.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """Make `path` a folder that only this user can enter (0700), and return it."""
    require_no_links(path)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def require_no_links(path: Path) -> None:
    """Raise RefusedError (3) if `path` contains a link inside a platform's private folder.

    The folder itself may be a link, for example to another disk.
    """
    parts = path.parts
    if WORKSPACE not in parts:
        return
    inner = len(parts) - parts[::-1].index(WORKSPACE)
    for end in range(inner + 1, len(parts) + 1):
        link = Path(*parts[:end])
        if link.is_symlink():
            raise RefusedError(
                "this is a link, and ngp follows none in its private folder",
                where=str(link),
                why="it could lead ngp to overwrite or delete files elsewhere",
                todo="look at where it leads, then remove it",
            )


@contextmanager
def temporary_folder(folder: Path) -> Iterator[None]:
    """Yield a private temporary folder, deleted at the end; it stays if this process is killed."""
    private_folder(folder)
    try:
        yield
    finally:
        remove_all([folder])


@contextmanager
def lock(path: Path, *, purpose: str, wait: bool = False) -> Iterator[None]:
    """Hold the lock file at `path`. Raises LockHeldError with its holder if it is held.

    The kernel frees the lock when its holder ends; the file only names the holder.
    """
    require_no_links(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise LockHeldError(
                f"another ngp is at work here: {_holder(path)}",
                where=str(path),
                todo="wait until it has ended, or end it: that releases the lock",
            ) from None
        os.truncate(handle, 0)
        os.pwrite(
            handle,
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose}).encode(),
            0,
        )
        yield
    finally:
        os.close(handle)


@contextmanager
def lock_folder(folder: Path) -> Iterator[int]:
    """Hold an existing folder by a handle; the kernel frees it when the last process with the handle ends.

    That is this one, however it ends, or a child that got the handle.
    """
    handle = os.open(folder, _FOLDER)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # waits only for `is_folder_locked`
        yield handle
    finally:
        os.close(handle)


def is_folder_locked(folder: Path) -> bool:
    """Whether a process holds a folder; a missing one is not held."""
    try:
        handle = os.open(folder, _FOLDER)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode(path: Path) -> int:
    """The permissions of a file that is there, else those of a new one."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text())
        return f"`{who['purpose']}` in process {who['pid']} on {who['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its holder has not said who it is"


def _make_folder(path: Path) -> list[Path]:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return list(reversed(missing))
