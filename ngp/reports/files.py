"""Report files: the extension selects the format, and all files are checked before a run starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ngp import files
from ngp.errors import Finding, NgpError, nearest, require
from ngp.reports.report import Report


def _json(report: Report, _: Path | None) -> str:
    from ngp.reports import document

    return document.render(report)


def _junit(report: Report, _: Path | None) -> str:
    from ngp.reports import junit

    return junit.render(report)


def _markdown(report: Report, _: Path | None) -> str:
    from ngp.reports import markdown

    return markdown.render(report)


def _page(report: Report, platform: Path | None) -> str:
    from ngp.reports import page

    return page.render(report, platform)


KINDS: Mapping[str, Callable[[Report, Path | None], str]] = {
    ".html": _page,
    ".json": _json,
    ".md": _markdown,
    ".xml": _junit,
}


def require_writable(names: Iterable[str], cwd: Path) -> tuple[Path, ...]:
    """Return the files that reports go to. Raises UsageError (64) that names each one that cannot be written."""
    paths = tuple(dict.fromkeys(cwd / name for name in names))
    require(finding for path in paths for finding in _check(path))
    return paths


def write(report: Report, paths: Iterable[Path], platform: Path | None = None) -> None:
    """Write a report to each file, whole or not at all. `platform` is the folder whose templates override ngp's."""
    for path in paths:
        try:
            files.write(path, KINDS[path.suffix](report, platform).encode(errors="replace").decode())
        except OSError as error:
            todo = "free some disk space, or choose another file with --report"
            raise NgpError(f"cannot write the report: {error.strerror}", where=str(path), todo=todo) from error


def _check(path: Path) -> list[Finding]:
    what = f"cannot write a report to {path}"
    if path.suffix not in KINDS:
        known = nearest(path.suffix, KINDS)
        return [Finding(what, why=f"`{path.suffix}` is not a report format", todo=known)]
    if not path.parent.is_dir():
        return [Finding(what, str(path.parent), "the folder does not exist", "create it, or choose another one")]
    if path.is_dir() or (path.exists() and not path.is_file()):
        return [Finding(what, why="it is not a regular file", todo="choose another file")]
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        return [Finding(what, why="permission denied", todo="choose a file that you can write")]
    return []
