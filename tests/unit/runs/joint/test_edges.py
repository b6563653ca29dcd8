"""The edges of the last apply, beside those of the wiring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.errors import NgpError
from ngp.runs import graph
from ngp.runs.joint import edges

NONE = frozenset()


def needs(**units):
    return {unit: frozenset(words.split()) for unit, words in units.items()}


def test_what_was_applied_counts_beside_the_wiring():
    assert edges.combine(needs(a="", b="", c="b"), needs(b="a", c="")) == needs(a="", b="a", c="b")


def test_a_removed_unit_is_passed_through():
    found = edges.combine(needs(a="", c=""), needs(b="a", c="b"))
    assert graph.dependants(found, ["a"]) == {"b", "c"}


def test_an_edge_that_was_turned_around_is_as_the_wiring_says():
    assert edges.combine(needs(a="c", b="a", c=""), needs(c="b", a="")) == needs(a="c", b="a", c="")


GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef")))


@given(GRAPHS, GRAPHS)
def test_both_together_have_no_cycle_and_lose_no_wire(wiring, stored):
    wiring = {unit: frozenset(one for one in needed if one < unit) for unit, needed in wiring.items()}
    found = edges.combine(wiring, stored)
    graph.numbers(found)
    assert all(wiring[unit] <= found[unit] for unit in wiring)


@pytest.mark.parametrize("text", ["[", "[]", '{"needs": {}}', '{"v": 2, "needs": {}}', '{"v": 1, "needs": {"a": 1}}'])
def test_a_file_that_is_none_is_an_error(text):
    with pytest.raises(NgpError, match="not the graph"):
        edges.parse(text, where="s3://bucket/graph.json")


def test_no_file_is_no_edge():
    assert edges.parse("", where="") == {}
