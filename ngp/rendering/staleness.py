"""What lies on the disk against what would be rendered: missing, differing and orphaned files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from ngp.rendering.roots import FILES, HEADER, LOCK, VALUES

WIRED = "wired.auto.tfvars.json"
_SILENT = frozenset({".terraform", WIRED})  # what running a root leaves; ignored by Git


@dataclass(frozen=True)
class Staleness:
    """Paths relative to the platform. `foreign` lies in a rendered folder and is not ours: told, never touched."""

    missing: tuple[Path, ...]
    differing: tuple[Path, ...]
    orphaned: tuple[Path, ...]
    foreign: tuple[Path, ...]

    @property
    def is_stale(self) -> bool:
        return bool(self.missing or self.differing or self.orphaned)


def compare(platform: Path, rendered: Mapping[Path, str], environments: Iterable[str]) -> Staleness:
    """Hold `rendered` against the disk; orphans are looked for in the rendered folders of `environments`."""
    missing, differing = [], []
    for path, text in rendered.items():
        try:
            if (platform / path).read_bytes() != text.encode("utf-8"):
                differing.append(path)
        except (FileNotFoundError, NotADirectoryError):
            missing.append(path)
    orphaned, foreign = [], []
    for path in _beside(platform, rendered, environments):
        (orphaned if _is_ours(platform, path) else foreign).append(path)
    return Staleness(tuple(missing), tuple(differing), tuple(orphaned), tuple(foreign))


def emptied(platform: Path, orphaned: Iterable[Path]) -> list[Path]:
    """What else goes with the orphans: folders that hold nothing then but what running Terraform left.

    Paths relative to the platform, outermost only. A folder that holds anything else (an errored state) stays.
    """
    gone = {platform / path for path in orphaned}
    folders = {parent for path in gone for parent in path.parents if _inside(platform, parent)}
    empty = {folder for folder in folders if all(_goes(path, gone) for path in folder.rglob("*"))}
    return sorted(folder.relative_to(platform) for folder in empty if folder.parent not in empty)


def diff(platform: Path, path: Path, text: str | None) -> str:
    """A unified diff from the disk to `text` (None: the file goes)."""
    target = platform / path
    before = target.read_text(encoding="utf-8", errors="replace") if target.is_file() else ""
    old, new = (str(path) if target.is_file() else "/dev/null"), (str(path) if text is not None else "/dev/null")
    lines = unified_diff(before.splitlines(keepends=True), (text or "").splitlines(keepends=True), old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end of the file\n" for line in lines)


def _beside(platform: Path, rendered: Mapping[Path, str], environments: Iterable[str]) -> list[Path]:
    """Files in rendered folders that would not be rendered."""
    found: set[Path] = set()
    for name in environments:
        home = platform / "environments" / name
        for folder in ("units", "root", "modules"):
            found.update(path for path in (home / folder).rglob("*") if path.is_file() or path.is_symlink())
    relative = (path.relative_to(platform) for path in found)
    return sorted(path for path in relative if path not in rendered and not _SILENT & set(path.parts))


def _is_ours(platform: Path, path: Path) -> bool:
    """Whether ngp wrote this file: a copied module, one that says so, or one without comments beside such a one."""
    if path.parts[2] == "modules":
        return True
    if path.name in FILES:
        return _says_so(platform / path)
    return path.name in {VALUES, LOCK} and not any(
        (platform / path.parent / name).is_file() and not _says_so(platform / path.parent / name) for name in FILES
    )


def _says_so(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline(200).startswith(HEADER.encode())


def _inside(platform: Path, folder: Path) -> bool:
    """Whether `folder` is below environments/ENV, which itself is the operator's."""
    return folder.is_relative_to(platform) and len(folder.relative_to(platform).parts) > 2


def _goes(path: Path, gone: set[Path]) -> bool:
    return path in gone or bool(_SILENT & set(path.parts)) or (path.is_dir() and not path.is_symlink())
