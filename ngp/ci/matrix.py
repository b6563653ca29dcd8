"""Jobs of a CI matrix: whole environments, distributed evenly by their numbers of units."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.review.affected import Affected


class MatrixSystem(StrEnum):
    """A CI system that takes a matrix."""

    GITHUB = "github"
    GITLAB = "gitlab"


LIMITS: Mapping[MatrixSystem, int] = {
    MatrixSystem.GITHUB: 256,  # docs.github.com, "Usage limits": jobs of a matrix in a workflow run
    MatrixSystem.GITLAB: 200,  # docs.gitlab.com, "parallel:matrix": permutations
}


@dataclass(frozen=True)
class Job:
    """The environments that one job plans, and how many of their units the change affects."""

    environments: tuple[str, ...]
    units: int

    @property
    def name(self) -> str:
        """A short name: the environment, or the first of several."""
        more = len(self.environments) - 1
        return f"{self.environments[0]} and {more} more" if more else self.environments[0]


def count(resolved: Iterable[Resolved], change: Affected | None) -> dict[str, int]:
    """Return by environment how many units the change affects; None affects all."""
    names = {each.environment.name: each for each in resolved}
    return {name: len(each.environment.units if change is None else change.names(name)) for name, each in names.items()}


def group(units: Mapping[str, int], limit: int) -> tuple[Job, ...]:
    """Return at most `limit` jobs for environments with these numbers of affected units.

    An environment is planned in one process, so it is never split: 10,000 units of one environment are one job.
    """
    names = sorted((name for name in units if units[name]), key=lambda name: (-units[name], name))
    bins: list[tuple[int, int, list[str]]] = [(0, index, []) for index in range(min(limit, len(names)))]
    for name in names:
        size, index, held = heapq.heappop(bins)
        heapq.heappush(bins, (size + units[name], index, [*held, name]))
    jobs = [Job(tuple(sorted(held)), size) for size, _, held in bins]
    return tuple(sorted(jobs, key=lambda job: job.environments))


def document(jobs: Sequence[Job], system: MatrixSystem) -> Any:
    """Return the matrix in the format of a CI system: GitHub's `include`, or the list of GitLab's `parallel:matrix`."""
    if system is MatrixSystem.GITLAB:
        return [{"NGP_ENVIRONMENTS": " ".join(job.environments)} for job in jobs]
    rows = [{"name": job.name, "environments": " ".join(job.environments), "units": job.units} for job in jobs]
    return {"include": rows}
