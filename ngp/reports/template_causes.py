"""Templates that changed since the baseline, and the units whose roots they change."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ngp.environments import revisions
from ngp.environments.environment import Platform
from ngp.environments.resolving import Resolved
from ngp.errors import UsageError
from ngp.rendering import roots
from ngp.reports.report import Cause
from ngp.review.baseline import Baseline

_FOLDER = "templates"
_OTHERS = tuple(f"{_FOLDER}/{name}/" for name in ("added", "ci", "module", "platform", "reports"))  # make no root
_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


def find(resolved: Resolved, baseline: Baseline) -> Mapping[str, tuple[Cause, ...]]:
    """Return the causes in templates by root: the name of a unit, or ``root`` for that of a single state.

    A template counts if the root is another one with the templates of the baseline. `place` is the first changed line
    of the template whose text the root has, else its first changed line.
    """
    platform = resolved.platform
    changed = sorted(path for path in baseline.changed if path.startswith(f"{_FOLDER}/") and path.endswith(".j2"))
    changed = [path for path in changed if not path.startswith(_OTHERS)]
    if not changed:
        return {}
    now = roots.from_templates(resolved, platform.path)
    with TemporaryDirectory() as folder:
        revisions.extract(platform, baseline.commit, _FOLDER, Path(folder))
        try:
            before = roots.from_templates(resolved, Path(folder))
        except UsageError:
            before = {}  # those of the baseline do not work: all that there is comes from the new ones
    found: dict[str, dict[Cause, None]] = {}
    for path, text in now.items():
        if before.get(path) != text:
            new = {*text.splitlines()} - {*before.get(path, "").splitlines()}
            causes = (_cause(platform, baseline, one, path.name, new) for one in _makers(changed, path.name))
            found.setdefault(path.parent.name, {}).update(dict.fromkeys(causes))
    return {name: tuple(causes) for name, causes in found.items()}


def _makers(changed: Collection[str], file: str) -> Collection[str]:
    """The changed template of a file of a root, else all that it may include."""
    own = f"{_FOLDER}/root/{file}.j2"
    return [own] if own in changed else [path for path in changed if not path.startswith(f"{_FOLDER}/root/")]


def _cause(platform: Platform, baseline: Baseline, template: str, file: str, new: Collection[str]) -> Cause:
    since = f"since {baseline.commit[:8]}"
    path = platform.path / template
    if not path.is_file():
        return Cause("", f"the template of {file}, removed {since}", template)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    changed = [*_changed(platform, baseline, template)] or [*range(1, len(lines) + 1)] or [1]  # untracked, or empty
    written = (at for at in changed if at <= len(lines) and lines[at - 1].strip() and _stands_in(lines[at - 1], new))
    return Cause("", f"the template of {file}, changed {since}", f"{template}:{next(written, changed[0])}")


def _stands_in(line: str, texts: Collection[str]) -> bool:
    return any(line.strip() in text for text in texts)


def _changed(platform: Platform, baseline: Baseline, template: str) -> Iterator[int]:
    """The numbers of the lines of a template that the baseline does not have; of a deletion, the line after it."""
    words = ("--unified=0", "--no-color", "--no-ext-diff", baseline.commit, "--", f"./{template}")
    for line in revisions.git(platform, "diff", *words).stdout.splitlines():
        hunk = _HUNK.match(line)
        if hunk:
            first, count = int(hunk[1]), int(hunk[2] or 1)
            yield from range(first, first + count) if count else (first + 1,)
