"""A plan that is shown and confirmed before anything changes: made now, or opened from a bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ngp.runs.context import RunContext
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.state_locks import StateLocks
from ngp.runs.results import RunResult
from ngp.runs.reviewed_files import ReviewedFiles


def _nothing() -> None:
    """Do nothing before the first change."""


@dataclass(frozen=True)
class Proposed:
    """The plan of a run.

    `previews` has the result of every unit. `begin` is called right before the first change. `seen` are the files and
    values of the separate units, which are compared again before each apply; a destruction has none.
    """

    planned: JointPlan
    previews: RunResult
    begin: Callable[[], None] = _nothing
    seen: ReviewedFiles | None = None


Propose = Callable[[RunContext, StateLocks], Proposed]
