"""A promotion with all files that it changes: the target's two source files and their rendered files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.environments import comparing, promoting, writing
from ngp.environments.environment import Platform
from ngp.environments.promoting import Promotion
from ngp.rendering import roots, staleness


@dataclass(frozen=True)
class PromotedFiles:
    """`own` are the changed files of the operator, `rendered` those of ngp, None for deleted ones."""

    platform: Path
    promotion: Promotion
    own: Mapping[Path, str]
    rendered: Mapping[Path, str | None]

    @property
    def paths(self) -> list[Path]:
        """All changed files, relative to the platform."""
        return sorted(path.relative_to(self.platform) for path in (*self.own, *self.rendered))


def promote(platform: Platform, source: str, target: str, only: Sequence[str], *, write: bool) -> PromotedFiles:
    """Copy settings of one environment to another, under the target's lock; with `write` the files are written.

    Raises UsageError (64) for what cannot be promoted, NgpError if writing fails.
    """
    with files.lock(platform.workspace.lock(target), purpose=f"ngp env promote {source} {target}"):
        made = promoting.prepare(platform, *comparing.load_pair(platform, source, target), only)
        rendered = _render(platform, target, made.files) if made.promoted else {}
        promoted = PromotedFiles(platform.path, made, writing.changed(made.files), rendered)
        if write:
            texts = {**writing.through_links(promoted.own), **promoted.rendered}
            writing.write(texts, "the files cannot be written")
    return promoted


def _render(platform: Platform, target: str, written: Mapping[Path, str]) -> dict[Path, str | None]:
    """Return the rendered files that change with these texts of the target, None for deleted ones."""
    found = roots.render(promoting.resolve(platform, target, written))
    stale = staleness.compare(platform.path, found, (target,))
    made: dict[Path, str | None] = {platform.path / path: found[path] for path in (*stale.missing, *stale.differing)}
    return made | {platform.path / path: None for path in stale.orphaned}
