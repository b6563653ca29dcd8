import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngp.runs import graph

REGION = {
    "network": frozenset(),
    "openvpn": frozenset({"network"}),
    "swarm": frozenset({"network"}),
    "docker-registry": frozenset({"swarm", "network"}),
    "ecr": frozenset(),
}


@st.composite
def needs(draw):
    """Random graphs without cycles: a unit needs only units of a lower number."""
    count = draw(st.integers(0, 12))
    return {
        f"u{number}": frozenset(f"u{lower}" for lower in range(number) if draw(st.booleans()))
        for number in range(count)
    }


def test_waves_put_a_unit_one_after_the_last_that_it_needs():
    assert graph.waves(REGION) == (("ecr", "network"), ("openvpn", "swarm"), ("docker-registry",))


def test_waves_of_nothing_are_none():
    assert graph.waves({}) == ()


@given(needs())
def test_wave_is_the_longest_path(region):
    def longest(unit):
        return 1 + max((longest(needed) for needed in region[unit]), default=0)

    assert graph.numbers(region) == {unit: longest(unit) for unit in region}


def test_selection_forgets_what_lies_beyond_it():
    assert graph.select(REGION, ("openvpn", "docker-registry")) == {
        "openvpn": frozenset(),
        "docker-registry": frozenset(),
    }
    assert graph.select(REGION, ()) == REGION


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (("network",), {"openvpn", "swarm", "docker-registry"}),
        (("swarm",), {"docker-registry"}),
        (("swarm", "docker-registry"), set()),
        (("ecr",), set()),
    ],
)
def test_dependants_are_found_through_others(units, expected):
    assert graph.dependants(REGION, units) == expected


@given(needs())
def test_reversed_twice_is_the_same(region):
    assert graph.reverse(graph.reverse(region)) == region
