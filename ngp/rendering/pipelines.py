"""Pipelines of CI systems, from the templates below `ci/`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

import ngp
from ngp.errors import Finding, UsageError, require
from ngp.files import unify_lines
from ngp.rendering import templates

HEADER = (
    "# Written by `ngp ci init {system}`{place}: "
    "a file of the same name in templates/ci/{system}/ replaces its template."
)
_REGION = "us-east-1"
_FOLDER = re.compile(r"(?!-)[\w./-]*", re.ASCII)
_MARK = re.compile(rb"Written by `ngp ci init[^`\n]*`(?: in ([^:\n]+))?")


class PipelineSystem(StrEnum):
    """A CI system that ngp has pipelines for."""

    GITHUB = "github"
    GITLAB = "gitlab"
    JENKINS = "jenkins"


_FILES: Mapping[PipelineSystem, Mapping[str, str]] = {
    PipelineSystem.GITHUB: {
        f".github/workflows/ngp-{name}.yaml": f"{name}.yaml"
        for name in ("plan", "order", "apply", "nightly", "promote")
    },
    PipelineSystem.GITLAB: {".gitlab-ci.yml": "gitlab-ci.yml"},
    PipelineSystem.JENKINS: {"Jenkinsfile": "Jenkinsfile"},
}


@dataclass(frozen=True)
class PipelineEnvironment:
    """An environment in a pipeline."""

    name: str
    region: str
    protected: bool = False


def render(
    platform: Path | None,
    system: PipelineSystem,
    branch: str,
    environments: Sequence[PipelineEnvironment] = (),
    folder: str = "",
) -> dict[PurePosixPath, str]:
    """The files of a system, by path in the repository; `platform` None takes ngp's own templates only.

    `branch` is the one that is applied after a merge. `environments` are in the order of promotion. `folder` is that of
    the platform in the repository, "" for its top: CI systems read pipelines at the top only. Raises UsageError for a
    folder whose name these would read as something else.
    """
    if not _FOLDER.fullmatch(folder):
        why = "a pipeline would have to quote it"
        raise UsageError(
            f"the path `{folder}` cannot be used in a pipeline", why=why, todo="use letters, digits and ._/- only"
        )
    context = {
        "header": HEADER.format(system=system.value, place=f" in {folder}" if folder else ""),
        "version": ngp.__version__,
        "branch": branch,
        "folder": folder,
        "environments": environments,
        "region": environments[0].region if environments else _REGION,
        "promotion": [one.name for one in environments[-2:]] if len(environments) > 1 else [],
    }
    return {
        PurePosixPath(path): templates.render(platform, f"ci/{system.value}/{name}.j2", context)
        for path, name in _FILES[system].items()
    }


def stale(top: Path, rendered: Mapping[PurePosixPath, str], folder: str = "") -> list[PurePosixPath]:
    """Return the files that are missing or differ below `top`, the repository's folder; line ends do not count.

    Raises UsageError for a file that ngp did not write, or wrote for a platform in another folder than `folder`.
    """
    on_disk = {path: _read(top / path) for path in rendered}
    require(
        found for path, data in on_disk.items() if data is not None and (found := _foreign(top / path, data, folder))
    )
    return [
        path
        for path, text in rendered.items()
        if (data := on_disk[path]) is None or unify_lines(data) != unify_lines(text.encode())
    ]


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _foreign(path: Path, data: bytes, folder: str) -> Finding | None:
    mark = _MARK.search(data[:1000])
    if mark is None:
        why = "its first lines do not show that `ngp ci init` wrote it"
        return Finding("this file is not ngp's", str(path), why, "move it away, and copy what you need from it")
    other = (mark[1] or b"").decode(errors="replace")
    if other == folder:
        return None
    what = f"this pipeline is that of the platform in {other or 'the top folder'}"
    why = "one platform of a repository can have pipelines"
    return Finding(what, str(path), why, "delete the file if that platform is gone")
