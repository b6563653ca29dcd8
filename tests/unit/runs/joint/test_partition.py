"""A joint root divided among its units, and the one root of `state: single`, of which nothing is renamed."""

import json

import pytest

from ngp.runs.joint import states
from ngp.runs.joint.partition import Partition
from ngp.runs.units import SINGLE
from ngp.terraform.plans import Action, Change, Invocation, OutputChange, Plan
from tests.unit.runs.joint.killed_runs import resource, state

PARTS, WHOLE = Partition.of(["a", "ab"]), Partition.of([SINGLE])
OUTPUT = {"value": "1", "type": "string"}


def change(address):
    return Change(address, "t", Action.CREATE)


PLAN = Plan(
    (change("module.a.t.x"), change("module.ab.t.x"), change("module.a[0].t.y"), change("t.root")),
    {name: OutputChange(name, Action.CREATE) for name in ("a__id", "ab__id", "id")},
    (change("module.a.t.d"), change("module.ab.t.d")),
    invocations=(Invocation("module.a.action.x"), Invocation("module.ab.action.x")),
)


def test_each_unit_gets_its_own_part_of_a_plan():
    part = PARTS.plan(PLAN, "a")
    assert [one.address for one in part.changes] == ["module.a.t.x", "module.a[0].t.y"]
    assert {name: one.name for name, one in part.outputs.items()} == {"id": "id"}
    assert [one.address for one in part.drift] == ["module.a.t.d"]
    assert [one.address for one in part.invocations] == ["module.a.action.x"]
    assert WHOLE.plan(PLAN, SINGLE) is PLAN


@pytest.mark.parametrize(
    ("address", "unit"), [("module.a.t.x", "a"), ("module.ab[0].t.x", "ab"), ("module.b.t.x", ""), ("t.x", "")]
)
def test_an_address_has_an_owner(address, unit):
    assert PARTS.owner(address) == unit
    assert WHOLE.owner(address) == SINGLE


def test_variables_have_the_name_of_their_unit_in_a_joint_root():
    assert (PARTS.variable("a", "id"), WHOLE.variable(SINGLE, "a__id")) == ("a__id", "a__id")


def test_one_state_for_all_is_only_given_the_lineage_of_the_plan():
    document = json.loads(state("theirs", 9, resource("a", "x"), outputs={"a__id": OUTPUT}))
    text = WHOLE.join({SINGLE: document}, lineage="ours", terraform_version="1.14.0", needs={})
    assert json.loads(text) == {**document, "lineage": "ours", "serial": states.SERIAL}
    part = WHOLE.split(json.loads(text))[SINGLE]
    assert (part.resources, part.outputs) == (document["resources"], {"a__id": OUTPUT})
    WHOLE.require_own(SINGLE, document)


def test_without_a_state_yet_it_begins_with_that_of_the_plan():
    text = WHOLE.join({}, lineage="ours", terraform_version="1.14.0", needs={})
    assert (json.loads(text)["lineage"], json.loads(text)["resources"]) == ("ours", [])


def test_states_of_units_are_joined_and_split_by_module():
    documents = {"a": json.loads(state("one", 3, resource("a", "x"), outputs={"id": OUTPUT}))}
    text = PARTS.join(documents, lineage="ours", terraform_version="1.14.0", needs={})
    parts = PARTS.split(json.loads(text))
    assert parts["a"].equals(documents["a"])
    assert parts["ab"].equals(None)
    with pytest.raises(states.ForeignStateError):
        PARTS.require_own("a", json.loads(state("one", 3, resource("ab", "x"))))
