"""What was changed outside of Terraform is in a unit's result, also as a bundle keeps it."""

from dataclasses import replace

from ngp.runs import describing
from ngp.runs.bundle import reviews
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.results import Outcome, UnitResult
from ngp.terraform.plans import Action, Change, Plan

CHANGED = Change("module.a.b.c", "b", Action.UPDATE, {"x": 1}, {"x": 2})
SAME = Change("module.a.b.same", "b", Action.NO_OP)


def test_drift_is_named_by_address():
    plan = Plan((CHANGED,), {}, drift=(CHANGED, SAME, CHANGED))
    result = describing.describe(UnitResult("a", "a", 1, Outcome.FAILED), plan)
    assert result.drift == ("module.a.b.c",)
    kept = reviews.load(reviews.dump({"a": ReviewedUnit(result, plan)}))
    assert kept["a"].result.drift == ("module.a.b.c",)


def test_drift_that_the_plan_leaves_alone_is_not_told():
    """A unit without changes is not read by itself, but in a joint plan it is: both have to say the same."""
    plan = Plan((SAME,), {}, drift=(replace(SAME, action=Action.UPDATE), CHANGED))
    result = describing.describe(UnitResult("a", "a", 1, Outcome.FAILED), plan)
    assert (result.outcome, result.drift) == (Outcome.NO_CHANGES, ())
