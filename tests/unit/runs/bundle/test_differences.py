"""What a new plan does otherwise than a bundle: every effect counts, and what is only shown does not."""

from dataclasses import replace

import pytest

from ngp.runs.bundle import comparing
from ngp.runs.bundle.comparing import PlanDifference
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.terraform.plans import SENSITIVE, Action, Change, Invocation, OutputChange

ADDRESS = "module.app.t.x"
UPDATE = Change(ADDRESS, "t", Action.UPDATE, {"id": "1", "size": 1}, {"id": "1", "size": 2})
CREATE = Change(ADDRESS, "t", Action.CREATE, None, {"size": 2}, {"id": True})
DELETE = Change(ADDRESS, "t", Action.DELETE, {"id": "1", "size": 1}, None)


def unit(*changes, name="app", **more):
    return UnitResult(name, name, 1, more.pop("outcome", Outcome.PLANNED), changes=changes, **more)


def differences(first, second):
    return [str(one) for one in comparing.compare([first], [second])]


def changed(change, **values):
    return replace(change, after={**change.after, **values})


@pytest.mark.parametrize("change", [UPDATE, CREATE, DELETE])
def test_equal_plans_do_not_differ(change):
    assert differences(unit(change), unit(replace(change))) == []


def test_another_action_differs():
    assert differences(unit(UPDATE), unit(replace(UPDATE, action=Action.REPLACE))) == [f"{ADDRESS}: update → replace"]
    assert differences(unit(UPDATE), unit()) == [f"{ADDRESS}: update → nothing"]
    assert differences(unit(), unit(UPDATE)) == [f"{ADDRESS}: nothing → update"]


def test_a_unit_that_only_one_plan_has_differs():
    assert comparing.compare([unit(UPDATE)], []) == [PlanDifference("app", ADDRESS, "update", "")]
    assert [one.unit for one in comparing.compare([unit(UPDATE)], [unit(UPDATE), unit(CREATE, name="web")])] == ["web"]


def test_differences_come_by_unit_and_address():
    other = replace(UPDATE, address="module.app.t.a")
    found = comparing.compare([], [unit(UPDATE, other), unit(CREATE, name="a")])
    assert [(one.unit, one.address) for one in found] == [("a", ADDRESS), ("app", "module.app.t.a"), ("app", ADDRESS)]


def test_the_attributes_that_get_another_value_are_named():
    found = differences(unit(UPDATE), unit(changed(UPDATE, size=3, name="n")))
    assert found == [f"{ADDRESS}: update sets name, size to another value"]


def test_a_value_that_becomes_unknown_differs():
    assert differences(unit(UPDATE), unit(replace(UPDATE, after_unknown={"size": True})))
    assert differences(unit(CREATE), unit(replace(CREATE, after_unknown={})))


def test_of_the_values_before_only_the_object_counts():
    same = replace(UPDATE, before={"id": "1", "size": 7, "tags": {}})
    assert differences(unit(UPDATE), unit(same)) == []
    for other in ({"id": "2", "size": 1}, {"id": "1", "arn": "x"}):
        found = differences(unit(UPDATE), unit(replace(UPDATE, before=other)))
        assert found == [f"{ADDRESS}: update sets (object) to another value"]


def test_a_deletion_of_another_object_differs():
    assert differences(unit(DELETE), unit(replace(DELETE, before={"id": "1", "size": 9})))
    secret = replace(DELETE, before={"id": "1", "password": SENSITIVE})
    assert differences(unit(secret), unit(replace(secret))) == []


class TestSecrets:
    """Both sides are masked, so nobody can say that they are equal."""

    SET = Change(ADDRESS, "t", Action.CREATE, None, {"name": "n", "password": SENSITIVE})

    def test_a_secret_that_is_set_always_differs(self):
        assert differences(unit(self.SET), unit(self.SET)) == [f"{ADDRESS}: create sets password to another value"]

    @pytest.mark.parametrize("value", [{"a": [SENSITIVE]}, [{"a": SENSITIVE}]])
    def test_one_inside_of_a_value_too(self, value):
        change = changed(CREATE, conf=value)
        assert differences(unit(change), unit(change)) == [f"{ADDRESS}: create sets conf to another value"]

    def test_one_that_stays_does_not(self):
        stays = replace(UPDATE, before={**UPDATE.before, "p": SENSITIVE}, after={**UPDATE.after, "p": SENSITIVE})
        assert differences(unit(stays), unit(stays)) == []
        moves = replace(stays, sensitive_changes=(("p",),))
        assert differences(unit(moves), unit(moves)) == [f"{ADDRESS}: update sets p to another value"]


class TestOtherEffects:
    def test_an_output(self):
        first = unit(outputs={"o": OutputChange("o", Action.UPDATE, "1", "2")})
        assert differences(first, unit(outputs={"o": OutputChange("o", Action.UPDATE, "0", "2")})) == []
        other = unit(outputs={"o": OutputChange("o", Action.UPDATE, "1", "3")})
        assert differences(first, other) == ["output o: update sets value to another value"]
        unknown = unit(outputs={"o": OutputChange("o", Action.UPDATE, "1", "2", True)})
        assert differences(first, unknown) == ["output o: update sets value to another value"]

    def test_a_sensitive_output_is_not_compared(self):
        first, second = (
            unit(outputs={"o": OutputChange("o", Action.UPDATE, None, value, sensitive=True)}) for value in ("1", "2")
        )
        assert differences(first, second) == []

    def test_an_import_and_a_move(self):
        imported = replace(UPDATE, importing=True, import_id="i-1")
        assert differences(unit(UPDATE), unit(imported)) == [f"{ADDRESS}: update → update, import i-1"]
        moved = replace(UPDATE, action=Action.NO_OP, previous_address="module.app.t.w")
        assert differences(unit(UPDATE), unit(moved)) == [f"{ADDRESS}: update → move from module.app.t.w"]

    def test_an_action_that_is_invoked(self):
        first = Invocation("action.notify.x", "notify", {"to": "a"}, {})
        assert differences(unit(invocations=(first,)), unit(invocations=(first,))) == []
        assert differences(unit(invocations=(first,)), unit()) != []
        assert differences(unit(invocations=(first,)), unit(invocations=(replace(first, values={"to": "b"}),))) != []

    def test_a_unit_that_could_not_be_planned(self):
        deferred = unit(outcome=Outcome.DEFERRED)
        assert differences(unit(), deferred) == ["(unit): nothing → deferred"]
        assert differences(deferred, deferred) == []
        assert differences(unit(), unit(is_preview=True)) == ["(unit): nothing → changes"]
