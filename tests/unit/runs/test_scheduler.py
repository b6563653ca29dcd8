import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngp.runs import scheduler
from ngp.runs.results import Outcome, UnitResult

CHAIN = {"a": frozenset(), "b": frozenset({"a"}), "c": frozenset({"b"}), "lone": frozenset()}


def result(unit, outcome=Outcome.APPLIED, reason=""):
    return UnitResult(unit, "module", 1, outcome, reason=reason)


def skipped(unit, reason):
    return result(unit, Outcome.SKIPPED, reason)


def test_a_unit_starts_after_all_that_it_needs():
    ended = []

    def work(unit):
        assert CHAIN[unit] <= set(ended)
        ended.append(unit)
        return result(unit)

    results = scheduler.run(scheduler.Schedule(CHAIN, parallelism=4), work, skipped)
    assert sorted(ended) == sorted(CHAIN)
    assert {one.outcome for one in results.values()} == {Outcome.APPLIED}


def test_descendants_of_a_failure_are_skipped_with_the_reason_and_others_go_on():
    results = scheduler.run(
        scheduler.Schedule(CHAIN),
        lambda unit: result(unit, Outcome.FAILED if unit == "a" else Outcome.APPLIED),
        skipped,
    )
    assert results["b"] == skipped("b", "needs `a`")
    assert results["c"] == skipped("c", "needs `b`")
    assert results["lone"].outcome is Outcome.APPLIED


def test_fail_fast_starts_nothing_more():
    order = []

    def work(unit):
        order.append(unit)
        return result(unit, Outcome.REFUSED)

    results = scheduler.run(scheduler.Schedule(CHAIN, parallelism=1, fail_fast=True), work, skipped)
    assert order == ["a"]
    assert results["lone"].reason == "the run ended at `a`"


def test_a_stop_starts_nothing_more():
    stop = threading.Event()

    def work(unit):
        stop.set()
        return result(unit)

    results = scheduler.run(scheduler.Schedule(CHAIN, parallelism=1), work, skipped, stop=stop)
    assert results["a"].outcome is Outcome.APPLIED
    assert {results[unit].reason for unit in ("b", "c", "lone")} == {"the run was interrupted"}


def test_independent_units_run_at_the_same_time_but_no_more_than_allowed():
    together, most, lock = set(), [0], threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def work(unit):
        with lock:
            together.add(unit)
            most[0] = max(most[0], len(together))
        both.wait()
        with lock:
            together.discard(unit)
        return result(unit)

    wide = {name: frozenset() for name in "abcdef"}
    scheduler.run(scheduler.Schedule(wide, parallelism=2), work, skipped)
    assert most[0] == 2


def test_no_parallelism_is_one_at_a_time():
    assert scheduler.run(scheduler.Schedule({"a": frozenset()}, parallelism=0), result, skipped)["a"] == result("a")


def test_a_fault_of_ours_is_raised():
    def work(unit):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        scheduler.run(scheduler.Schedule({"a": frozenset()}), work, skipped)


@settings(deadline=None)
@given(st.data())
def test_every_unit_has_one_result_whatever_fails(data):
    count = data.draw(st.integers(0, 8))
    needs = {f"u{i}": frozenset(f"u{j}" for j in range(i) if data.draw(st.booleans())) for i in range(count)}
    outcomes = {unit: data.draw(st.sampled_from([Outcome.APPLIED, Outcome.FAILED, Outcome.DEFERRED])) for unit in needs}
    results = scheduler.run(
        scheduler.Schedule(needs, data.draw(st.integers(1, 3)), data.draw(st.booleans())),
        lambda unit: result(unit, outcomes[unit]),
        skipped,
    )
    assert results.keys() == needs.keys()
    for unit, one in results.items():
        if one.outcome is not Outcome.SKIPPED:
            assert all(results[needed].outcome.is_good for needed in needs[unit])


class Asked(dict):
    """A graph that counts what is asked of it."""

    asked = 0

    def get(self, unit, default=None):
        self.asked += 1
        return super().get(unit, default)


def test_what_a_unit_needs_is_asked_once_however_many_units_there_are():
    needs = Asked({f"u{at}": frozenset({f"u{at - 40}"} if at >= 40 else ()) for at in range(400)})
    results = scheduler.run(scheduler.Schedule(needs, parallelism=8), result, skipped)
    assert len(results) == 400
    assert needs.asked == 400
