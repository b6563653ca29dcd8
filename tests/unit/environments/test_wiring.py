"""Wires that `ngp configure` finds by itself, and what it leaves to the operator."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.catalogue.module import Manifest, Output, SourceLocation
from ngp.environments import wiring
from ngp.environments.environment import OutputRef
from ngp.environments.wiring import Ambiguity

PLACE = SourceLocation(Path("x.tf"), 1)


def module(*outputs, requires=()):
    """A module with these outputs, whose required inputs are all declared."""
    return SimpleNamespace(
        manifest=Manifest("T", "S", "c", requires=tuple(requires)),
        variables=dict.fromkeys(requires),
        outputs={each.name: each for each in outputs},
    )


def output(name, *, sensitive=False, ephemeral=False):
    return Output(name, "", sensitive, ephemeral, PLACE)


NETWORK = module(output("vpc_id"))
USER = module(requires=["vpc_id"])


def find(units, existing=None, gone=(), given=()):
    return wiring.find(units, existing or {}, gone, lambda unit, name: (unit, name) in given)


def test_the_only_other_unit_with_the_output_feeds_the_input():
    found = find({"network": NETWORK, "user": USER})
    assert found == wiring.WiringResult({"user": {"vpc_id": OutputRef("network", "vpc_id")}}, ())


def test_several_feeders_are_a_question():
    found = find({"one": NETWORK, "two": NETWORK, "user": USER})
    candidates = (OutputRef("one", "vpc_id"), OutputRef("two", "vpc_id"))
    assert found == wiring.WiringResult({}, (Ambiguity("user", "vpc_id", candidates),))


def test_a_given_value_spares_the_question():
    assert find({"one": NETWORK, "two": NETWORK, "user": USER}, given=[("user", "vpc_id")]) == wiring.WiringResult(
        {}, ()
    )
    asked = find({"one": NETWORK, "two": NETWORK, "user": USER}, given=[("user", "other"), ("one", "vpc_id")])
    assert [each.unit for each in asked.ambiguities] == ["user"]


@pytest.mark.parametrize("kind", ["sensitive", "ephemeral"])
def test_a_secret_output_is_never_offered(kind):
    secret = module(output("vpc_id", **{kind: True}), output("name"))
    assert wiring.outlets({"one": secret}) == {"name": ["one"]}
    assert find({"one": secret, "user": USER}) == wiring.WiringResult({}, ())
    found = find({"one": secret, "two": NETWORK, "user": USER})
    assert found.wires == {"user": {"vpc_id": OutputRef("two", "vpc_id")}}


def test_a_unit_is_not_its_own_feeder():
    both = module(output("vpc_id"), requires=["vpc_id"])
    assert find({"both": both}) == wiring.WiringResult({}, ())


def test_a_wire_that_is_there_stays_and_those_of_gone_units_go():
    there = {"user": {"vpc_id": OutputRef("two", "vpc_id")}, "old": {"x": OutputRef("one", "vpc_id")}}
    units = {"one": NETWORK, "two": NETWORK, "user": USER}
    assert find(units, there, gone=["old"]).wires == {"user": there["user"]}
    found = find({"one": NETWORK, "user": USER}, there, gone=["two"])
    assert found.wires["user"] == {"vpc_id": OutputRef("one", "vpc_id")}
    assert found.wires["old"] == there["old"]


def test_an_input_that_the_module_does_not_declare_is_not_wired():
    user = module(requires=["vpc_id"])
    user.variables = {}
    assert find({"network": NETWORK, "user": user}) == wiring.WiringResult({}, ())
