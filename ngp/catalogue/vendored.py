"""Copies of modules that somebody else wrote: their files, and their checksum."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ngp.catalogue import loading
from ngp.errors import Finding, require
from ngp.files import unify_lines
from ngp.terraform import lockfile

# Files beside a published module that do not belong to it; in modules/NAME such folders belong to the platform.
BESIDE = frozenset({"docs", "example", "examples", "modules", "test", "tests", "wrappers"})


def read(folder: Path, name: str) -> dict[PurePosixPath, bytes]:
    """Return the files of the copy in modules/NAME by path, without those that ngp adds."""
    own = {loading.MANIFEST, f"{name}.dummy"}
    return {path: _bytes(folder / path) for path in _paths(folder) if str(path) not in own}


def collect(folder: Path) -> dict[PurePosixPath, bytes]:
    """Return the files of a foreign module. Raises UsageError for links and for files that are not text."""
    contents, findings = {}, list[Finding]()
    for path in _paths(folder):
        if not (folder / path).is_file() or (folder / path).is_symlink():
            kind = _kind((folder / path).lstat().st_mode)
            findings.append(
                Finding(f"`{path}` is {kind}", str(folder), "a copy can only contain regular files and folders")
            )
            continue
        contents[path] = _bytes(folder / path)
        if not _is_text(contents[path]):
            why = "binary files are not rendered, compared or reviewed"
            findings.append(Finding(f"`{path}` is not UTF-8 text", str(folder), why))
    require(findings)
    return contents


def checksum(contents: Mapping[PurePosixPath, bytes]) -> str:
    """Return the ``h1:`` hash of a copy: of its files' names and contents, ignoring line ends."""
    texts = ((str(path), unify_lines(data)) for path, data in contents.items())
    return lockfile.combine((path, hashlib.sha256(data).hexdigest()) for path, data in texts)


def is_part(path: PurePosixPath) -> bool:
    """Whether a path in a foreign folder belongs to the module: no hidden file, example or test."""
    return not any(part.startswith(".") or part == "__pycache__" for part in path.parts) and (
        len(path.parts) == 1 or path.parts[0] not in BESIDE
    )


def _paths(folder: Path) -> Iterator[PurePosixPath]:
    """The paths below a folder that are part of the module, sorted; a link is one of them, and is not followed."""
    found = []
    for home, names, files in os.walk(folder):
        inner = PurePosixPath(Path(home).relative_to(folder).as_posix())
        links = [name for name in names if (Path(home) / name).is_symlink()]
        found += [inner / name for name in (*files, *links)]
        names[:] = [name for name in names if name not in links and is_part(inner / name / "file")]
    return iter(sorted(path for path in found if is_part(path)))


def _bytes(path: Path) -> bytes:
    """What a file holds; of what is no file, only what it is: to open a pipe could take forever."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"-> {path.readlink()}".encode()
    if not stat.S_ISREG(mode):
        return f"-> {_kind(mode)}".encode()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no file")


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in data
