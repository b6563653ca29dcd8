"""Copies of modules for an environment that is pinned to a commit of the catalogue."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ngp.errors import UsageError
from ngp.terraform import fingerprints

_IGNORED = frozenset({".terraform", "__pycache__"})


def collect(catalogue: Path, used: Iterable[str]) -> dict[PurePosixPath, str]:
    """Return the files of the modules `used` and of the modules that they call, by path below `catalogue`.

    Raises UsageError for a file that is not text: rendered files must be readable and comparable.
    """
    waiting, done = sorted(used, reverse=True), set[str]()
    files: dict[PurePosixPath, str] = {}
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        for path in _files(catalogue / name):
            text = _text(path, catalogue)
            inner = PurePosixPath(path.relative_to(catalogue).as_posix())
            files[inner] = text
            if path.name.endswith(fingerprints.ENDINGS):
                waiting += [module for module in _called(inner, text) if (catalogue / module).is_dir()]
    return files


def _called(path: PurePosixPath, text: str) -> Iterator[str]:
    """Yield the modules of the catalogue that the file at `path` (below the catalogue) calls by a relative source."""
    for source in fingerprints.sources(text):
        module = posixpath.normpath(path.parent / source).partition("/")[0]
        if module != "..":
            yield module


def _files(module: Path) -> list[Path]:
    found = (path for path in module.rglob("*") if path.is_file())
    return sorted(path for path in found if not _IGNORED & set(path.relative_to(module).parts))


def _text(path: Path, catalogue: Path) -> str:
    if not path.resolve().is_relative_to(catalogue.resolve()):
        raise UsageError(
            "this link leads out of the catalogue",
            where=str(path),
            why="ngp would copy the link's target into the environment",
            todo="put a copy of the file into the module",
        )
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            "this file of a pinned module is not UTF-8 text",
            where=str(path),
            why=str(error),
            todo="keep binary files out of modules: build them at boot or fetch them by checksum",
        ) from None
