"""Contestants take turns; goals are held against their medians."""

import pytest

from bench.contest import OURS, Case, Contestant, above, play, times
from bench.measuring import FailedError, Sample


@pytest.fixture
def enter():
    """`enter(name, *walls)` gives a contestant that takes these times in turn; `enter.turns` is who acted."""
    turns = []

    def make(name, *walls, **fields):
        left = list(walls)

        def act():
            turns.append(name)
            wall = left.pop(0)
            if wall is None:
                raise FailedError("it broke")
            return Sample(wall, **fields)

        return Contestant(name, act, lambda: turns.append(f"before {name}"), lambda: turns.append(f"after {name}"))

    make.turns = turns
    return make


def _play(*contestants, goals=(), repeats=3):
    return play(Case("case", "Case", "", contestants, goals, repeats))


def test_contestants_take_turns_in_changing_order(enter):
    _play(enter("a", 1, 1, 1), enter("b", 1, 1, 1))
    assert [turn for turn in enter.turns if len(turn) == 1] == ["a", "b", "b", "a", "a", "b"]
    assert enter.turns[:3] == ["before a", "a", "after a"]


def test_one_that_fails_is_left_out_from_then_on_and_cleaned_up(enter):
    result = _play(enter("a", None), enter("b", 1, 2, 9))
    assert result.scores["a"].failure == "it broke"
    assert enter.turns.count("a") == enter.turns.count("after a") == 1
    assert result.scores["b"].median("wall_s") == 2


def test_a_factor_is_that_of_the_medians(enter):
    ours, theirs = enter(OURS, 1, 9, 1, memory_mb=100, api_s=0.5), enter("peer", 12, 12, 99, memory_mb=200, api_s=2)
    goals = (
        times(12, "peer"),
        times(13, "peer"),
        times(3, "peer", what="memory_mb"),
        times(20, "peer", what="own_s"),
    )
    verdicts = _play(ours, theirs, goals=goals).verdicts
    assert [(one.measured, one.is_met) for one in verdicts] == [
        ("12.0×", True),
        ("12.0×", False),
        ("1/2.0", False),
        ("1/20.0", True),
    ]


def test_what_is_above_the_baseline_counts(enter):
    [verdict] = _play(enter("base", 0.01), enter("ours", 0.05), goals=(above(30, "base", "ours"),), repeats=1).verdicts
    assert (verdict.measured, verdict.is_met) == ("40 ms", False)


def test_a_goal_without_its_peer_is_neither_met_nor_missed(enter):
    [verdict] = _play(enter(OURS, 1), enter("peer", None), goals=(times(2, "peer"),), repeats=1).verdicts
    assert (verdict.measured, verdict.is_met) == ("not measured: peer", None)
