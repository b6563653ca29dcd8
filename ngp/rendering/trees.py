"""All rendered files of a platform, or of some environments, and what of them the disk lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ngp
from ngp.catalogue import loading
from ngp.catalogue.module import Catalogue
from ngp.environments import documents, platforms, resolving
from ngp.environments.environment import Platform
from ngp.errors import Finding, UsageError, require
from ngp.rendering import dummies, roots, staleness
from ngp.rendering.staleness import Staleness

_RENDERED_BY = re.compile(r"""^rendered_by:[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)""", re.MULTILINE)


@dataclass(frozen=True)
class Tree:
    """`files` by path relative to the platform; `is_whole` says that nothing of the platform was left out."""

    platform: Platform
    environments: tuple[str, ...]
    files: Mapping[Path, str]
    staleness: Staleness
    is_whole: bool

    @property
    def other_version(self) -> str:
        """The ngp that rendered last, where it is not this one; "" else."""
        recorded = self.platform.rendered_by
        return recorded if recorded != ngp.__version__ else ""


def collect(platform: Platform, names: Sequence[str] = ()) -> Tree:
    """Render the environments `names`, or all of them and ``terraform.tfvars.dummy``; write nothing.

    Raises one UsageError with what is wrong in any of them.
    """
    environments = tuple(dict.fromkeys(names)) or tuple(documents.names(platform))
    files: dict[Path, str] = {}
    findings: list[Finding] = []
    for name in environments:
        try:
            files |= roots.render(resolving.resolve(platform, name))
        except UsageError as error:
            findings += error.findings
    if not names:
        try:
            files[Path(dummies.FILE)] = dummies.render(_catalogue(platform))
        except UsageError as error:
            findings += error.findings
    require(dict.fromkeys(findings))
    found = staleness.compare(platform.path, files, environments)
    return Tree(platform, environments, files, found, is_whole=not names)


def _catalogue(platform: Platform) -> Catalogue:
    """The modules of the working tree, whatever environments are pinned to."""
    return loading.load(platform.path / "modules", platform.cache)


def writes(tree: Tree) -> dict[Path, str]:
    """What to write, by full path: the rendered files and, for a whole tree, ngp.yaml with this version in it."""
    found = {tree.platform.path / path: text for path, text in tree.files.items()}
    if tree.is_whole and tree.platform.rendered_by != ngp.__version__:
        path = tree.platform.path / platforms.FILE
        found[path] = _stamped(path.read_bytes().decode("utf-8"))
    return found


def _stamped(text: str) -> str:
    """ngp.yaml with this version of ngp; every other byte stays."""
    line = f'rendered_by: "{ngp.__version__}"'
    if _RENDERED_BY.search(text):
        return _RENDERED_BY.sub(line, text, count=1)
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text}{'' if text.endswith(newline) else newline}{line}{newline}"
