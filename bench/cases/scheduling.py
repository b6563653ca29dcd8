"""The cost of ngp's scheduler per unit."""

from __future__ import annotations

from collections.abc import Iterator

from bench import platforms
from bench.cases.options import Options
from bench.contest import Case, Contestant, Goal, Scores
from bench.lab import Lab
from bench.measuring import Sample, measure
from ngp.runs import scheduler
from ngp.runs.results import Outcome, UnitResult

_GOAL_MS = 5.0


def cases(lab: Lab, options: Options) -> Iterator[Case]:  # noqa: ARG001  every group is asked the same
    """Return one case: units that do nothing, two at a time, for each size."""
    yield Case(
        "scheduling",
        "The scheduler alone",
        f"`runs.scheduler.run` in one process, {options.parallelism} units at a time, the units do nothing.",
        tuple(_contestant(size, options.parallelism) for size in options.sizes),
        tuple(_goal(size) for size in options.sizes),
        repeats=options.repeats,
    )


def _contestant(size: int, parallelism: int) -> Contestant:
    plan = scheduler.Schedule({unit.name: frozenset(unit.needs) for unit in platforms.graph(size)}, parallelism)

    def work(name: str) -> UnitResult:
        return UnitResult(name, "", 0, Outcome.NO_CHANGES)

    def skip(name: str, reason: str) -> UnitResult:
        return UnitResult(name, "", 0, Outcome.SKIPPED, reason=reason)

    def act() -> Sample:
        return measure(lambda: scheduler.run(plan, work, skip), with_memory=False)

    return Contestant(_name(size), act)


def _goal(size: int) -> Goal:
    def judge(scores: Scores) -> tuple[str, bool]:
        each_ms = 1000 * scores[_name(size)].median("wall_s") / size
        return f"{each_ms:.2f} ms", each_ms < _GOAL_MS

    return Goal(f"{_name(size)}: < {_GOAL_MS:g} ms a unit", (_name(size),), judge)


def _name(size: int) -> str:
    return f"{size:,} units"
