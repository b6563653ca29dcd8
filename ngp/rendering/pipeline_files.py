"""The pipeline files of a platform's repository: renders them, finds stale ones, and writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ngp.environments import documents, revisions, writing
from ngp.environments.environment import Platform
from ngp.rendering import pipelines
from ngp.rendering.pipelines import PipelineEnvironment, PipelineSystem

_ORDER = ("dev", "test", "stage", "staging", "prod", "production")


@dataclass(frozen=True)
class PipelineFiles:
    """Texts by path below `top`, the repository's folder; `stale` are missing there, or differ."""

    top: Path
    texts: Mapping[PurePosixPath, str]
    stale: Sequence[PurePosixPath]


def collect(platform: Platform, system: PipelineSystem, branch: str = "") -> PipelineFiles:
    """Render the pipelines of a CI system; write nothing. `branch` is applied, by default the remote's, else main.

    Raises UsageError as `pipelines.render` and `pipelines.stale` do.
    """
    top, folder = _repository(platform)
    found = pipelines.render(platform.path, system, branch or _branch(platform), environments(platform), folder)
    return PipelineFiles(top, found, pipelines.stale(top, found, folder))


def write(found: PipelineFiles) -> None:
    """Write the stale files, all or none. Raises NgpError (1) if the disk refuses."""
    writing.write({found.top / path: found.texts[path] for path in found.stale}, "cannot write the pipelines")


def environments(platform: Platform) -> list[PipelineEnvironment]:
    """Return the environments in the order of promotion: by the usual names of stages, protected ones last."""
    found = [documents.load(platform, name) for name in documents.names(platform)]
    stages = [PipelineEnvironment(one.name, one.region, one.name in platform.protected) for one in found]
    return sorted(stages, key=lambda one: (one.protected, _rank(one.name), one.name))


def _rank(name: str) -> int:
    return next((at for at, word in enumerate(_ORDER) if name.startswith(word)), 0)


def _repository(platform: Platform) -> tuple[Path, str]:
    """Return the top of the repository, and the platform's folder in it; without a repository the platform itself."""
    outcome = revisions.run_git(platform.path, "rev-parse", "--show-toplevel", "--show-prefix")
    if outcome is None or outcome.exit_code:
        return platform.path, ""
    top, prefix = outcome.stdout.split("\n")[:2]
    return Path(top), prefix.rstrip("/")


def _branch(platform: Platform) -> str:
    """Return the default branch of the remote `origin`, "main" where Git does not know it."""
    outcome = revisions.run_git(platform.path, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    told = outcome.stdout.strip() if outcome is not None and outcome.exit_code == 0 else ""
    return told.removeprefix("origin/") or "main"
