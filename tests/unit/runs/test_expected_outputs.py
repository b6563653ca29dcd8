"""What an upstream unit offers: of its plan, of its state, and never a null that nobody has seen."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ngp.catalogue.types import STRING
from ngp.environments.environment import OutputRef
from ngp.runs import expected_outputs
from ngp.runs.preview import ExpectedOutput
from ngp.runs.units import Wire
from ngp.terraform.plans import Action, OutputChange, Plan
from ngp.terraform.states import State, StateOutput

NULL = ExpectedOutput(None, unknown=False)


def wire(output="vpc_id", unit="network"):
    return Wire("vpc_id", STRING, OutputRef(unit, output))


def opened(state=None, plan=lambda unit, outputs: pytest.fail("its state says it")):
    return expected_outputs.ExpectedOutputs(lambda unit: state, plan)


def planned(**outputs):
    return Plan((), {name: OutputChange(name, Action.CREATE, **more) for name, more in outputs.items()})


def test_a_plan_of_the_run_is_what_counts():
    known = opened(State(outputs={"vpc_id": StateOutput("old")}))
    known.put("network", planned(vpc_id={"after": None, "after_unknown": True}))
    assert known.get(wire()).unknown is True


def test_a_null_that_the_plan_names_is_known():
    known = opened()
    known.put("network", planned(vpc_id={}))
    assert known.get(wire()) == NULL
    assert known.is_null(wire())


def test_an_output_that_a_plan_did_not_look_at_is_not_known():
    known = opened()
    known.put("network", planned(other={"after": "x"}))
    assert known.get(wire()).unknown is True
    assert not known.is_null(wire())


def test_a_unit_that_could_not_be_planned_offers_nothing_known():
    known = opened(State(outputs={"vpc_id": StateOutput("old")}))
    known.put("network", None)
    assert known.get(wire()).unknown is True


def test_a_unit_beyond_the_run_offers_what_its_state_holds():
    state = State(outputs={"vpc_id": StateOutput("vpc-1"), "password": StateOutput("x", sensitive=True)})
    assert opened(state).get(wire()) == ExpectedOutput("vpc-1", unknown=False)
    assert opened(state).get(wire("password")).sensitive


@pytest.mark.parametrize("state", [None, State(), State(serial=7)])
def test_a_state_that_holds_nothing_offers_nothing_known(state):
    assert opened(state).get(wire()).unknown is True


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"vpc_id": NULL}, NULL),
        ({"vpc_id": ExpectedOutput()}, ExpectedOutput()),
        ({"vpc_id": ExpectedOutput("would be", unknown=False)}, ExpectedOutput()),  # this run does not apply that plan
        ({}, ExpectedOutput()),
    ],
)
def test_what_a_state_lacks_is_learnt_from_a_plan_once(found, expected):
    asked = []

    def plan(unit, outputs):
        asked.append((unit, outputs))
        return {"name": ExpectedOutput("planned", unknown=False)} | found

    known = opened(State(outputs={"name": StateOutput("stands")}), plan)
    known.learn([wire(), wire("name")])
    known.learn([wire()])
    assert known.get(wire()) == expected
    assert asked == [("network", ["vpc_id"])]
    assert known.get(wire("name")).value == "stands"


def test_to_get_an_offer_plans_nothing():
    known = opened(State(outputs={"name": StateOutput("stands")}))
    assert known.get(wire()).unknown is True
    assert not known.is_null(wire())


def test_nothing_is_learnt_of_what_the_run_plans_or_of_a_unit_without_a_state():
    known = opened()
    known.learn([wire()])
    known = opened(State(outputs={"name": StateOutput("stands")}))
    known.put("network", planned(other={"after": "x"}))
    known.learn([wire()])


def test_a_unit_is_planned_once_for_all_threads_while_other_offers_are_read():
    begun, goes_on, asked = threading.Event(), threading.Event(), []

    def plan(unit, outputs):
        asked.append(unit)
        begun.set()
        assert goes_on.wait(10)
        return {"vpc_id": NULL}

    known = opened(State(outputs={"name": StateOutput("stands")}), plan)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(known.learn, [wire()])
        assert begun.wait(10)
        second = pool.submit(known.learn, [wire()])
        assert pool.submit(known.get, wire("name", "other")).result(5).value == "stands"
        goes_on.set()
        first.result(10), second.result(10)
    assert (asked, known.get(wire())) == (["network"], NULL)
