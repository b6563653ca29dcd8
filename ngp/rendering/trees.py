"""All rendered files of a platform or of some environments, and their differences from the disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import ngp
from ngp import files
from ngp.catalogue import loading
from ngp.catalogue.module import Catalogue
from ngp.environments import documents, platforms, resolving, writing
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.errors import UsageError, require
from ngp.rendering import archives, dummies, roots, staleness
from ngp.rendering.staleness import Staleness

_RENDERED_BY = re.compile(r"""^rendered_by:[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)""", re.MULTILINE)


@dataclass(frozen=True)
class RenderedTree:
    """`files` by path relative to the platform. `is_whole` says that the whole platform was rendered."""

    platform: Platform
    environments: tuple[str, ...]
    files: Mapping[Path, str]
    staleness: Staleness
    is_whole: bool
    resolved: tuple[Resolved, ...] = ()

    @property
    def other_version(self) -> str:
        """The ngp that rendered last, "" if it is this one."""
        recorded = self.platform.rendered_by
        return recorded if recorded != ngp.__version__ else ""

    @property
    def records_version(self) -> bool:
        """Whether writing the tree also writes this version of ngp into ngp.yaml."""
        return self.is_whole and self.platform.rendered_by != ngp.__version__

    @property
    def command(self) -> str:
        """The command that renews all stale files. Files outside of environments need the whole platform."""
        stale = (*self.staleness.changes, *self.staleness.orphaned)
        is_whole = self.is_whole or any(path.parts[0] != "environments" for path in stale)
        return "ngp render" if is_whole else f"ngp render {' '.join(self.environments)}"


def collect(platform: Platform, names: Sequence[str] = ()) -> RenderedTree:
    """Render the environments `names`, or all of them with the files of the catalogue (``terraform.tfvars.dummy``, the
    archives of functions); write nothing.

    Raises one UsageError with the errors of all of them.
    """
    environments = tuple(dict.fromkeys(names)) or tuple(documents.names(platform))
    files: dict[Path, str] = {}
    resolved, findings = resolving.collect(platform, environments)
    for each in resolved:
        try:
            files |= roots.render(each)
        except UsageError as error:
            findings += error.findings
    if not names:
        try:
            catalogue = _catalogue(platform)
            files |= archives.render(catalogue)
            files[Path(dummies.FILE)] = dummies.render(catalogue)
        except UsageError as error:
            findings += error.findings
    require(dict.fromkeys(findings))
    found = staleness.compare(platform.path, files, environments)
    return RenderedTree(platform, environments, files, found, is_whole=not names, resolved=tuple(resolved))


def narrow(tree: RenderedTree, is_kept: Callable[[Path], bool]) -> RenderedTree:
    """Return the part of a tree with the kept paths, and the environments that have any."""
    found = tree.staleness
    kept = {path: text for path, text in tree.files.items() if is_kept(path)}
    homes = (path for path in (*kept, *filter(is_kept, found.orphaned)) if path.parts[0] == "environments")
    names = {path.parts[1] for path in homes}
    return replace(
        tree,
        environments=tuple(name for name in tree.environments if name in names),
        files=kept,
        staleness=Staleness(
            *(
                tuple(filter(is_kept, paths))
                for paths in (found.missing, found.differing, found.orphaned, found.foreign)
            )
        ),
        is_whole=False,
    )


def _catalogue(platform: Platform) -> Catalogue:
    """Return all modules of the working tree, even if environments are pinned."""
    catalogue = loading.load(platform.path / "modules", platform.cache)
    catalogue.require()
    return catalogue


def writes(tree: RenderedTree) -> dict[Path, str]:
    """Return the files to write, by full path: stale files and, for a whole tree, ngp.yaml with this version."""
    stale = (*tree.staleness.missing, *tree.staleness.differing)
    found = {tree.platform.path / path: tree.files[path] for path in stale}
    if tree.records_version:
        path = tree.platform.path / platforms.FILE
        found[path] = _stamped(path.read_bytes().decode("utf-8"))
    return found


def write(tree: RenderedTree) -> None:
    """Write all files or none, under the locks of the environments, then delete orphans.

    Raises LockHeldError (5) while a run uses one of them, NgpError if writing fails.
    """
    platform, orphaned = tree.platform, tree.staleness.orphaned
    with ExitStack() as held:
        for name in tree.environments:
            held.enter_context(files.lock(platform.workspace.lock(name), purpose=f"ngp render {name}"))
        writing.write(writes(tree), "the rendered files cannot be written")
        gone = [*orphaned, *staleness.emptied(platform.path, orphaned)]  # a folder may contain a new file
        writing.write(dict.fromkeys(platform.path / path for path in gone), "left-over files cannot be removed")


def _stamped(text: str) -> str:
    """Return ngp.yaml with this version of ngp; every other byte stays."""
    line = f'rendered_by: "{ngp.__version__}"'
    if _RENDERED_BY.search(text):
        return _RENDERED_BY.sub(line, text, count=1)
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text}{'' if text.endswith(newline) else newline}{line}{newline}"
