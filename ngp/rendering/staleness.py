"""Compares rendered files with the disk: missing, changed and orphaned files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.environments.revisions import PIN
from ngp.errors import Finding, UsageError, require
from ngp.files import unify_lines
from ngp.rendering import roots
from ngp.rendering.roots import FILES, HEADER, LOCK, VALUES

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved

WIRED = "wired.auto.tfvars.json"
_SILENT = frozenset({".terraform", WIRED})  # left by running a root; ignored by Git


@dataclass(frozen=True)
class Staleness:
    """Paths relative to the platform. `foreign` files are in a rendered folder and not ngp's: reported, never
    touched."""

    missing: tuple[Path, ...]
    differing: tuple[Path, ...]
    orphaned: tuple[Path, ...]
    foreign: tuple[Path, ...]

    @property
    def is_stale(self) -> bool:
        return bool(self.changes)

    @property
    def changes(self) -> tuple[Path, ...]:
        """All paths that rendering would write or delete."""
        return (*self.missing, *self.differing, *self.orphaned)

    def describe(self) -> str:
        """Return how many files are stale and how: ``2 missing, 1 changed``."""
        counts = {"missing": len(self.missing), "changed": len(self.differing), "orphaned": len(self.orphaned)}
        (first, number), *more = [(word, number) for word, number in counts.items() if number]
        head = f"{number} {'file is' if number == 1 else 'files are'} {first}"
        return ", ".join([head, *(f"{number} {word}" for word, number in more)])


def compare(platform: Path, rendered: Mapping[Path, str], environments: Iterable[str]) -> Staleness:
    """Compare `rendered` with the disk, ignoring line ends. Orphans are files in the folders of `environments`.

    Raises UsageError for a folder that is a link out of the platform, where ngp must not write or delete.
    """
    _require_inside(platform, {path.parent for path in rendered})
    missing: list[Path] = []
    differing: list[Path] = []
    for path, text in rendered.items():
        before = _read(platform, path)
        if before is None:
            missing.append(path)
        elif before != (data := text.encode("utf-8")) and unify_lines(before) != unify_lines(data):
            differing.append(path)
    beside = {path: _is_ours(platform, path) for path in _beside(platform, rendered, environments)}
    orphaned = tuple(path for path, ours in beside.items() if ours)
    foreign = tuple(path for path, ours in beside.items() if not ours)
    return Staleness(tuple(missing), tuple(differing), orphaned, foreign)


def require_rendered(resolved: Resolved) -> None:
    """Raise UsageError (64) if the roots on the disk differ from what the environment renders to."""
    name, rendered = resolved.environment.name, roots.render(resolved)
    stale = compare(resolved.platform.path, rendered, [name])
    if not stale.is_stale:
        return
    if len(stale.missing) == len(rendered):
        what, why = f"`{name}` is not rendered yet", f"ngp plans the rendered files, and {stale.describe()}"
    else:
        what = f"the rendered roots of `{name}` are stale: {stale.describe()}"
        why = "ngp plans the rendered files, and they do not match environment.yaml, the values or the modules"
    raise UsageError(what, where=str(stale.changes[0]), why=why, todo=f"ngp render {name}")


def _require_inside(platform: Path, folders: Iterable[Path]) -> None:
    top = os.path.realpath(platform)
    require(
        Finding("this folder leads out of the platform", str(platform / folder), todo="replace the link with a folder")
        for folder in sorted(folders)
        if os.path.commonpath([top, os.path.realpath(platform / folder)]) != top
    )


def emptied(platform: Path, orphaned: Iterable[Path]) -> list[Path]:
    """Return the folders to delete with the orphans: those that then contain only files of Terraform's runs.

    Paths relative to the platform, outermost only. A folder with anything else (an errored state) stays.
    """
    gone = {platform / path for path in orphaned}
    folders = {parent for path in gone for parent in path.parents if _inside(platform, parent)}
    empty = {folder for folder in folders if all(_goes(path, folder, gone) for path in folder.rglob("*"))}
    return sorted(folder.relative_to(platform) for folder in empty if folder.parent not in empty)


def diff(platform: Path, path: Path, text: str | None) -> str:
    """Return a unified diff from the disk to `text` (None: the file is deleted)."""
    target = platform / path
    before = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    old, new = (str(path) if target.is_file() else "/dev/null"), (str(path) if text is not None else "/dev/null")
    lines = unified_diff(before.splitlines(keepends=True), (text or "").splitlines(keepends=True), old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end of the file\n" for line in lines)


def _beside(platform: Path, rendered: Mapping[Path, str], environments: Iterable[str]) -> list[Path]:
    """Yield the files in rendered folders that would not be rendered."""
    known = {str(path) for path in rendered}
    found = set[str]()
    for name in environments:
        for folder in ("units", "root", "modules"):
            found.update(_files(str(platform), f"environments/{name}/{folder}"))
    return sorted(Path(path) for path in found - known)


def _files(platform: str, folder: str) -> Iterator[str]:
    """Yield the files below a folder except ignored ones, as text, because there may be 60,000 of them."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = os.scandir(f"{platform}/{here}")
        except (FileNotFoundError, NotADirectoryError):
            continue
        with entries:
            for entry in entries:
                if entry.name in _SILENT:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{here}/{entry.name}")
                elif entry.is_file() or entry.is_symlink():
                    yield f"{here}/{entry.name}"


def _read(platform: Path, path: Path) -> bytes | None:
    try:
        with open(f"{platform}/{path}", "rb", buffering=0) as file:  # noqa: PTH123  a third of the time, 60,000 times
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_ours(platform: Path, path: Path) -> bool:
    """Whether ngp wrote this file: a copied module, a file with ngp's header, or one without comments beside such a
    file."""
    if path.parts[2] == "modules":
        pin = platform.joinpath(*path.parts[:3], PIN)
        return pin.is_file() and _says_so(pin)
    if path.name in FILES:
        return _says_so(platform / path)
    return path.name in {VALUES, LOCK} and not any(
        (platform / path.parent / name).is_file() and not _says_so(platform / path.parent / name) for name in FILES
    )


def _says_so(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline(200).startswith(HEADER.encode())


def _inside(platform: Path, folder: Path) -> bool:
    """Whether `folder` is below environments/ENV, which itself belongs to the operator."""
    return folder.is_relative_to(platform) and len(folder.relative_to(platform).parts) > 2


def _goes(path: Path, folder: Path, gone: set[Path]) -> bool:
    is_left_behind = bool(_SILENT & set(path.relative_to(folder).parts))
    return path in gone or is_left_behind or (path.is_dir() and not path.is_symlink())
