"""Runs contestants of a case in turns, and checks goals against their medians."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.measuring import FailedError, Sample

OURS = "ngp"


def nothing() -> None:
    """Do nothing as preparation."""


@dataclass(frozen=True)
class Contestant:
    """A contestant. `act` is measured; `prepare` runs before it and `finish` after it, every time."""

    name: str
    act: Callable[[], Sample]
    prepare: Callable[[], None] = nothing
    finish: Callable[[], None] = nothing


@dataclass(frozen=True)
class Score:
    """The medians of a contestant's samples, or why there are none."""

    samples: tuple[Sample, ...] = ()
    failure: str = ""

    def median(self, what: str) -> float:
        """Return the median of one field of the samples, such as ``wall_s``."""
        return float(statistics.median(getattr(sample, what) for sample in self.samples))


Scores = Mapping[str, Score]


@dataclass(frozen=True)
class Goal:
    """A goal. `judge` returns the measurement and whether it is met; it is skipped if one of `needs` has no score."""

    text: str
    needs: tuple[str, ...]
    judge: Callable[[Scores], tuple[str, bool]]


@dataclass(frozen=True)
class Verdict:
    """`is_met` is None if the goal was not measured: `measured` says why."""

    goal: str
    measured: str
    is_met: bool | None


@dataclass(frozen=True)
class Case:
    """Work that several contestants do. `about` describes in a sentence what is compared."""

    id: str
    title: str
    about: str
    contestants: tuple[Contestant, ...]
    goals: tuple[Goal, ...] = ()
    repeats: int = 3


@dataclass(frozen=True)
class Result:
    """The result of a case, as written; with a `machine` if that is not the report's."""

    id: str
    title: str
    about: str
    scores: Scores
    verdicts: tuple[Verdict, ...] = ()
    machine: Mapping[str, str] = field(default_factory=dict)


def play(case: Case) -> Result:
    """Run the contestants in turns, each round in the opposite order; a contestant that fails is left out."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in case.contestants}
    failures: dict[str, str] = {}
    for round_ in range(case.repeats):
        for one in case.contestants[:: -1 if round_ % 2 else 1]:
            if one.name not in failures:
                try:
                    samples[one.name].append(_turn(one))
                except FailedError as error:
                    failures[one.name] = str(error)
                _tell(case, one.name, round_, failures.get(one.name) or f"{samples[one.name][-1].wall_s:.3f} s")
    scores = {name: Score(tuple(those), failures.get(name, "")) for name, those in samples.items()}
    return Result(case.id, case.title, case.about, scores, tuple(judge(goal, scores) for goal in case.goals))


def judge(goal: Goal, scores: Scores) -> Verdict:
    """Check the scores against a goal."""
    lacking = [name for name in goal.needs if name not in scores or not scores[name].samples]
    if lacking:
        return Verdict(goal.text, f"not measured: {', '.join(lacking)}", None)
    return Verdict(goal.text, *goal.judge(scores))


def times(goal: float, peer: str, *, ours: str = OURS, what: str = "wall_s") -> Goal:
    """Return the goal that `ours` takes at most one part in `goal` of what `peer` takes."""
    words = {
        "wall_s": f"≥ {goal:g}× faster than {peer}",
        "own_s": f"≤ 1/{goal:g} of the time of {peer}, API calls taken off",
        "memory_mb": f"≤ 1/{goal:g} of the memory of {peer}",
    }
    who = "" if ours == OURS else f"{ours}: "

    def decide(scores: Scores) -> tuple[str, bool]:
        ratio = scores[peer].median(what) / scores[ours].median(what)
        return (f"{ratio:.1f}×" if what == "wall_s" else f"1/{ratio:.1f}"), ratio >= goal

    return Goal(who + words[what], (ours, peer), decide)


def above(goal_ms: float, baseline: str, ours: str) -> Goal:
    """Return the goal that `ours` takes at most so many milliseconds more than `baseline`."""

    def decide(scores: Scores) -> tuple[str, bool]:
        more_ms = 1000 * (scores[ours].median("wall_s") - scores[baseline].median("wall_s"))
        return f"{more_ms:.0f} ms", more_ms <= goal_ms

    return Goal(f"{ours}: ≤ {goal_ms:g} ms above {baseline}", (ours, baseline), decide)


def _turn(one: Contestant) -> Sample:
    try:
        one.prepare()
        return one.act()
    finally:
        one.finish()


def _tell(case: Case, name: str, round_: int, what: str) -> None:
    print(f"{case.id}: {name}, round {round_ + 1} of {case.repeats}: {what}", file=sys.stderr, flush=True)


def present(contestants: Sequence[Contestant | None]) -> tuple[Contestant, ...]:
    """Return the contestants that exist."""
    return tuple(one for one in contestants if one is not None)
