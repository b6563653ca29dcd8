"""Checks that a plan is portable: it must not name folders of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from ngp.errors import RefusedError
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.context import RunContext

# Attributes whose value is a file that the provider reads, or writes, on the machine where Terraform runs
_LOCAL_FILES = frozenset({"source", "filename", "source_file", "source_dir", "output_path", "template_file"})


def require(context: RunContext, units: Iterable[ReviewedUnit]) -> None:
    """Raise RefusedError (3) if a plan sets a value that names a folder of this machine."""
    platform = context.resolved.platform.path
    roots = {str(platform), str(platform.resolve()), str(context.tree.folder)}
    found = sorted({address for one in units for address in _local(one, roots)})
    if found:
        raise RefusedError(
            f"the plan contains a path of this machine: {', '.join(found)}",
            why="the path may not exist on the machine that applies the bundle",
            todo="use `path.module` or `path.root` without `abspath` and `path.cwd`, or apply without a bundle",
        )


def _local(reviewed: ReviewedUnit, roots: set[str]) -> Iterator[str]:
    for change in reviewed.result.changes:
        texts = _new(change.before, change.after)
        before, after = (side if isinstance(side, Mapping) else {} for side in (change.before, change.after))
        files = {name: value for name, value in after.items() if name in _LOCAL_FILES}
        absolute = [name for name, value in files.items() if before.get(name) != value and _is_absolute(value)]
        if absolute or _names(texts, roots):
            yield change.address
    for name, output in reviewed.result.outputs.items():
        if _names(_new(output.before, output.after), roots):
            yield f"the output {reviewed.result.unit}.{name}"


def _names(texts: Iterable[str], roots: Iterable[str]) -> bool:
    """Whether one of the texts contains one of the folders as a path."""
    return any(re.search(rf"(?<![\w.-]){re.escape(root)}(?![\w.-])", text) for text in texts for root in roots)


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and PurePath(value).is_absolute()


def _new(before: Any, after: Any) -> set[str]:
    """Yield the texts that a change sets."""
    return set(_texts(after)) - set(_texts(before))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
