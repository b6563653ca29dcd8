"""A plan that is shown and agreed to before anything is changed: made now, or opened from a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ngp.runs.context import RunContext
from ngp.runs.joint.holding import Holding
from ngp.runs.joint.planning import JointPlan
from ngp.runs.results import RunResult
from ngp.runs.reviewed_files import ReviewedFiles


def _nothing() -> None:
    """Begin without a preparation."""


@dataclass(frozen=True)
class Proposed:
    """What a run is going to do.

    `previews` has the result of every unit. `begin` is called right before the first change. `seen` are the files and
    values of the units that are applied by themselves, which are compared again before that; a destruction has none.
    """

    planned: JointPlan
    previews: RunResult
    begin: Callable[[], None] = _nothing
    seen: ReviewedFiles | None = None


Propose = Callable[[RunContext, Holding], Proposed]
