"""`narrowing`: what of a change is left for named units, and what a run is told to work on."""

from types import SimpleNamespace

import pytest

from ngp.environments.environment import StateMode
from ngp.review import narrowing
from ngp.review.affected import Affected, AffectedUnit

UNITS = (("dev", "app"), ("dev", "base"), ("prod", "app"))


@pytest.fixture
def found():
    units = tuple(AffectedUnit(environment, unit, unit, ()) for environment, unit in UNITS)
    return Affected("1234567890" * 4, "main", units, removed=(AffectedUnit("dev", "gone", "", ()),))


def environment(state):
    return SimpleNamespace(environment=SimpleNamespace(name="dev", state=state))


def test_without_names_all_of_it_is_left(found):
    assert narrowing.only(found, {}) is found


def test_with_names_only_these_units_are_left_and_nothing_that_is_gone(found):
    left = narrowing.only(found, {"dev": ("app",)})
    assert [(one.environment, one.unit) for one in left.units] == [("dev", "app")]
    assert left.removed == ()


def test_the_units_of_a_run_are_those_that_the_change_affects(found):
    units = environment(StateMode.PER_MODULE)
    assert narrowing.choice(units, found, ("named",)) == ("app", "base")
    assert narrowing.choice(units, None, ("named",)) == ("named",)


def test_one_root_is_planned_as_a_whole_or_by_what_the_line_names(found):
    assert narrowing.choice(environment(StateMode.SINGLE), found, ()) == ()
    assert narrowing.choice(environment(StateMode.SINGLE), found, ("app",)) == ("app",)
