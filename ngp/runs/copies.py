"""Shadow trees: copies of roots and modules below .ngp/, at the same relative paths as in the platform.

Nothing writes into a committed root, and a plan on a copy sees the same `path.module`, `path.root` and relative paths
as a plan in the committed root. Everything else is reached through links.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ngp import files
from ngp.rendering import exact
from ngp.runs.units import Unit
from ngp.terraform import driver, fingerprints, lockfile
from ngp.terraform.binary import Binary

_OVERRIDE = "copy_override.tf.json"
_SKIPPED = frozenset({".terraform", ".git"})
_UNLINKED = frozenset({files.WORKSPACE, ".git"})  # a tree must not contain itself


@dataclass(frozen=True)
class ShadowTree:
    """A shadow of the repository in `folder`: copied roots and modules, and links to everything else.

    Thread-safe.
    """

    folder: Path
    platform: Path
    _laid: set[Path] = field(default_factory=set, init=False, repr=False)
    _guard: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def path(self, original: Path) -> Path:
        """Return the path of the copy of a file or folder."""
        return self.folder / original.relative_to(self._top)

    def copy_modules(self, sources: Iterable[Path]) -> None:
        """Copy modules and the local modules that they call, each once."""
        with self._guard:
            for module in closure(sources):
                if module not in self._laid and module.is_relative_to(self._top) and module.is_dir():
                    self._laid.add(module)
                    self._make_room(module)
                    _copy(module, self.path(module), self._top)

    def copy_root(self, root: Path, more: Mapping[str, str], binary: Binary) -> Path:
        """Copy a root with its subfolders, without states, and add the files `more`; return the copy's path.

        An existing copy is kept with its states: a process of a killed run may still use it.
        """
        target = self._renew(root)
        _copy(root, target, self._top, _is_no_state)
        return _complete(target, more, binary)

    def make_root(self, root: Path, texts: Mapping[str, str], binary: Binary) -> Path:
        """Make a root that the platform does not have, at the place of `root`; return its path."""
        return _complete(self._renew(root), texts, binary)

    def remove_root(self, root: Path) -> None:
        """Delete the copy of a root with its states. If there is no copy, a link may lead to the root itself."""
        with self._guard:
            target = self.path(root)
            above = (self.folder / one for one in target.relative_to(self.folder).parents)
            if not any(path.is_symlink() for path in (target, *above)):
                shutil.rmtree(target, ignore_errors=True)

    def remove(self) -> None:
        """Delete the whole tree."""
        files.remove_all([self.folder])

    @cached_property
    def _top(self) -> Path:
        """The outermost folder for relative paths: the Git repository, or the platform without one."""
        folders = (self.platform, *self.platform.parents)
        return next((folder for folder in folders if (folder / ".git").exists()), self.platform)

    def _renew(self, root: Path) -> Path:
        with self._guard:
            target = self.path(root)
            self._make_room(root, keep=True)
            for path in files.private_folder(target).iterdir():
                if _is_no_state(path):
                    files.remove_all([path])
            return target

    def _make_room(self, original: Path, *, keep: bool = False) -> None:
        """Make the folders above the copy of `original`, with links to the other content of the originals."""
        for above in reversed(original.relative_to(self._top).parents):
            self._link_entries(self._top / above, self.folder / above)
        target = self.path(original)
        if target.is_symlink() or not keep:
            files.remove_all([target])

    def _link_entries(self, original: Path, folder: Path) -> None:
        if folder.is_symlink():
            folder.unlink()
        files.private_folder(folder)
        for entry in original.iterdir() if original.is_dir() else ():
            link = folder / entry.name
            if entry.name not in _UNLINKED and not os.path.lexists(link):
                link.symlink_to(entry)


def closure(sources: Iterable[Path]) -> list[Path]:
    """Return the folders `sources` and all local modules that they call, as lexical paths, sorted."""
    found: set[Path] = set()
    ahead = list(sources)
    while ahead:
        folder = ahead.pop()
        if folder not in found:
            found.add(folder)
            ahead += [Path(os.path.normpath(folder / source)) for source in fingerprints.called(folder)]
    return sorted(found)


def names(root: Path) -> Iterator[str]:
    """Yield the relative path of every file in a copy of the root."""
    for folder, below, found in os.walk(root):
        below[:] = [name for name in below if name not in _SKIPPED]
        inner = Path(folder).relative_to(root)
        yield from (str(inner / name) for name in found if inner.parts or ".tfstate" not in name)


def working_root(unit: Unit, tree: ShadowTree, data: Path, binary: Binary) -> driver.Root:
    """Return the root in which `binary` changes a unit: for Terraform the committed one, for OpenTofu a copy in
    `tree`."""
    if not binary.is_opentofu:
        return driver.Root(unit.root, data)
    place = unit.place.path
    # an absolute path, because .ngp may be a link and a relative path would start at its target
    backend = {"terraform": {"backend": {"local": {"path": str(place)}}}} if place else {}
    return driver.Root(tree.copy_root(unit.root, {_OVERRIDE: exact.dump(backend)}, binary), data, unit.root)


def _complete(target: Path, more: Mapping[str, str], binary: Binary) -> Path:
    for name, text in more.items():
        (target / name).write_text(text, encoding="utf-8")
    lockfile.readdress(target / lockfile.NAME, binary.registry)
    return target


def _is_no_state(path: Path) -> bool:
    return ".tfstate" not in path.name


def _copy(source: Path, target: Path, top: Path, is_copied: Callable[[Path], bool] = lambda _: True) -> None:
    """Copy the files, folders and links of a folder; `is_copied` filters its direct entries.

    Links stay links, so nothing outside is read and no loop is followed. Pipes and devices are left out.
    """
    files.private_folder(target)
    for path in sorted(source.iterdir()):
        to = target / path.name
        if path.name in _SKIPPED or not is_copied(path):
            continue
        if path.is_symlink():
            to.symlink_to(_link_text(path, top))
        elif path.is_dir():
            _copy(path, to, top)
        elif path.is_file():
            shutil.copyfile(path, to)
            shutil.copymode(path, to)  # archives that a module makes contain it


def _link_text(link: Path, top: Path) -> str:
    """Return the target of the copy of `link`: the same, unless a relative path would then lead elsewhere."""
    text = str(link.readlink())
    target = Path(os.path.normpath(link.parent / text))
    return text if target.is_relative_to(top) else str(target)
