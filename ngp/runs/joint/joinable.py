"""Whether units can be planned in one Terraform process with the same result as one by one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ngp.rendering import roots, templates
from ngp.runs import copies, wires
from ngp.runs.context import RunContext
from ngp.runs.units import Unit
from ngp.terraform import fingerprints

_MOST = 100  # so many were tried: a fourth of the time that they take one by one
_OURS = frozenset({*roots.FILES, roots.VALUES, roots.LOCK, wires.FILE})
_VERSIONS = "versions.tf"
_BACKEND = re.compile(r'backend\s+"?[\w-]+"?\s*\{[^}]*\}')
_DATA = re.compile(r'^\s*data\s+"[^"]*"\s+"[^"]*"\s*\{', re.MULTILINE)
_CONDITION = re.compile(r"\b(?:pre|post)condition\b")


def can_be_joined(context: RunContext, units: Mapping[str, Unit]) -> bool:
    """Whether a run of these units is one that one process can plan.

    Not one alone, nor very many; no unit that takes from one outside of the run; no options that mean single
    resources; no root in which more stands than was rendered; no guarded data source above another unit.
    """
    options = context.request.options
    is_whole = not (options.targets or options.replace or options.extra or options.destroy or options.refresh_only)
    return (
        is_whole
        and 1 < len(units) <= _MOST
        and all(unit.needs <= units.keys() for unit in units.values())
        and all(copies.files(unit).keys() <= _OURS for unit in units.values())
        and not any(map(_has_guarded_data, {source for unit in units.values() if unit.wires for source in _of(unit)}))
    )


def means_the_same(context: RunContext, units: Collection[Unit], joint: Mapping[str, str]) -> bool:
    """Whether the files of the root of all say what those of the single ones say, where a platform has own templates.

    A template may hang on the one unit of its root. One for versions.tf alone may be looked at: without the backend
    it must come out alike everywhere.
    """
    platform = context.resolved.platform.path
    own = {path.relative_to(platform / "templates") for path in templates.overrides(platform)}
    changed = {path.name for path in own if path.parts[0] == "root"}
    if not changed:
        return True
    texts = [(unit.root / _VERSIONS).read_text(encoding="utf-8") for unit in units]
    return changed == {f"{_VERSIONS}.j2"} and len({_BACKEND.sub("", text) for text in (joint[_VERSIONS], *texts)}) == 1


def _of(unit: Unit) -> Iterator[Path]:
    for source in unit.sources.values():
        yield source
        yield from fingerprints.modules(source)


def _has_guarded_data(folder: Path) -> bool:
    """Whether a data source there has a condition.

    Terraform reads such a one only when nothing that it stands on, however far, is about to change: in one root that
    reaches into other units, of which a single root knows the values only.
    """
    for ending in fingerprints.ENDINGS:
        for path in folder.glob(f"*{ending}"):
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".json":
                if '"data"' in text and _CONDITION.search(text):
                    return True
            elif any(_CONDITION.search(_block(text, found.end())) for found in _DATA.finditer(text)):
                return True
    return False


def _block(text: str, start: int) -> str:
    """What stands between braces, the first of which is open at `start`; all of the rest where none closes it."""
    depth = 1
    for found in re.finditer(r"[{}]", text[start:]):
        depth += 1 if found[0] == "{" else -1
        if depth == 0:
            return text[start : start + found.start()]
    return text[start:]
