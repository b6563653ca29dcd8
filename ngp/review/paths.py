"""Changed paths, and those that belong to a module: inside its folder, or behind its links."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ngp.catalogue.loading import MANIFEST

_SKIPPED = frozenset({".git", ".terraform"})  # what Git or a run keeps in a folder


@dataclass(frozen=True)
class Paths:
    """Paths with slashes, searchable by any folder that contains them."""

    known: frozenset[str]
    below: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, paths: Iterable[str]) -> Paths:
        known, below = frozenset(paths), dict[str, list[str]]()
        for path in sorted(known):
            for folder in _upwards(path):
                below.setdefault(folder, []).append(path)
        return cls(known, below)

    def of_module(self, name: str, folder: str) -> Iterator[str]:
        """The paths below `folder` that Terraform may read of the module `name`; also one above it, for Git knows a
        submodule as one path.

        Not its tests, its README and its dummy; module.yaml is seen in the root that it shapes.
        """
        yield from (path for path in _upwards(folder.rpartition("/")[0]) if path in self.known)
        for path in self.below.get(folder, ()):
            inner = PurePosixPath(path.removeprefix(folder).lstrip("/"))
            is_about = inner.name.endswith(".tftest.hcl") or inner.name in ("README.md", f"{name}.dummy", MANIFEST)
            if not (is_about and len(inner.parts) == 1) and inner.parts[:1] != ("tests",):
                yield path


def places(folder: Path) -> tuple[Path, ...]:
    """Yield the real path of `folder`, then the targets of its links, and of links in those."""
    found: dict[Path, None] = {}
    waiting = [folder]
    while waiting:
        place = Path(os.path.realpath(waiting.pop()))  # unlike resolve() it bears a link to itself
        if place in found:
            continue
        found[place] = None
        for here, folders, files in os.walk(place):
            folders[:] = [name for name in folders if name not in _SKIPPED]
            waiting += [path for name in (*folders, *files) if (path := Path(here, name)).is_symlink()]
    return tuple(found)


def _upwards(path: str) -> Iterator[str]:
    """Yield `path` and the folders above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]
