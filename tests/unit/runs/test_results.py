from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.runs.results import Counts, Outcome, count, exit_code
from ngp.terraform.plans import Action, Change, Plan

outcomes = st.lists(st.sampled_from(Outcome), max_size=5)


@pytest.mark.parametrize(
    ("seen", "detailed", "code"),
    [
        ([], False, 0),
        ([Outcome.NO_CHANGES], True, 0),
        ([Outcome.PLANNED], False, 0),
        ([Outcome.PLANNED], True, 2),
        ([Outcome.DEFERRED], True, 2),
        ([Outcome.APPLIED], True, 0),
        ([Outcome.REFUSED, Outcome.PLANNED], True, 3),
        ([Outcome.LOCKED, Outcome.STALE, Outcome.REFUSED], True, 5),
        ([Outcome.STALE, Outcome.REFUSED], True, 4),
        ([Outcome.STOPPED, Outcome.FAILED], True, 130),  # whoever stopped it left no number
        ([Outcome.FAILED, Outcome.LOCKED, Outcome.REFUSED], True, 1),
    ],
)
def test_exit_code_follows_the_order_of_precedence(seen, detailed, code):
    assert exit_code(seen, detailed=detailed) == code


@given(outcomes, st.booleans())
def test_exit_code_does_not_depend_on_the_order_of_units(seen, detailed):
    assert len({exit_code(order, detailed=detailed) for order in permutations(seen)}) == 1


@given(outcomes)
def test_an_interrupt_rules_over_everything(seen):
    assert exit_code(seen, stopped_by=2) == 130
    assert exit_code(seen, stopped_by=15) == 143


def test_count_takes_managed_resources_only():
    plan = Plan(
        (
            Change("a", "t", Action.CREATE),
            Change("b", "t", Action.REPLACE),
            Change("data.c", "t", Action.READ, mode="data"),
            Change("d", "t", Action.NO_OP),
            Change("e", "t", Action.DELETE),
        ),
        {},
    )
    assert count(plan) == Counts(create=1, replace=1, delete=1)
    assert count(plan).total == 3


def test_a_resource_that_is_forgotten_is_not_counted_as_deleted():
    plan = Plan((Change("a", "t", Action.FORGET), Change("b", "t", Action.REPLACE)), {})
    assert count(plan) == Counts(replace=1, forget=1)
    assert count(plan) + Counts(forget=2) == Counts(replace=1, forget=3)
    assert count(plan).total == 2
    assert count(plan).steps == 2  # a replacement is reported twice, a forget never
