"""The goal on the cost of one more unit: a start hides nothing of it."""

import pytest

from bench.cases import scale
from bench.cases.options import Options
from bench.contest import Score, judge
from bench.measuring import Sample

COSTS = [
    (lambda units: 0.5 + 0.001 * units, "1.00 ms, then 1.00 ms", True),
    (lambda units: 1 + 0.001 * units + 1e-7 * units**2, "1.11 ms, then 2.10 ms", False),
]


@pytest.mark.parametrize(("cost_s", "measured", "is_met"), COSTS)
def test_a_cost_that_grows_with_the_size_is_seen_beside_the_cost_of_a_start(cost_s, measured, is_met):
    (goal,) = scale._constant("ngp graph", Options())
    scores = {scale._name("ngp graph", size): Score((Sample(cost_s(size)),)) for size in Options.sizes}
    verdict = judge(goal, scores)
    assert (verdict.measured, verdict.is_met) == (measured, is_met)


def test_two_sizes_cannot_tell_a_start_from_a_unit():
    assert list(scale._constant("ngp graph", Options(sizes=(1000, 10_000)))) == []
