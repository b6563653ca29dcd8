"""-target and -replace name resources of any unit."""

from types import SimpleNamespace

import pytest

from ngp.environments.environment import StateMode
from ngp.errors import UsageError
from ngp.runs import addresses

UNITS = {"network": None, "swarm": None}


def parse(word, *chosen, state=StateMode.PER_MODULE):
    resolved = SimpleNamespace(environment=SimpleNamespace(units=UNITS, state=state))
    (found,) = addresses.parse([word], "-target", chosen, resolved)
    return found.unit, found.address


@pytest.mark.parametrize(
    ("word", "chosen", "expected"),
    [
        ("swarm:aws_instance.x", (), ("swarm", "module.swarm.aws_instance.x")),
        ("swarm:module.swarm.aws_instance.x[0]", (), ("swarm", "module.swarm.aws_instance.x[0]")),
        ("module.network.aws_vpc.x", (), ("network", "module.network.aws_vpc.x")),
        ("module.network", (), ("network", "module.network")),
        ("aws_vpc.x", ("network",), ("network", "module.network.aws_vpc.x")),
        ("module.inner.aws_vpc.x", ("network",), ("network", "module.network.module.inner.aws_vpc.x")),
        ('network:aws_vpc.x["a:b"]', (), ("network", 'module.network.aws_vpc.x["a:b"]')),
        ('aws_vpc.x["a:b"]', ("network",), ("network", 'module.network.aws_vpc.x["a:b"]')),
    ],
)
def test_an_address_belongs_to_a_unit(word, chosen, expected):
    assert parse(word, *chosen) == expected


@pytest.mark.parametrize(
    ("word", "chosen", "says"),
    [
        ("swam:aws_instance.x", (), "-target swam:aws_instance.x: the unit `swam` does not exist"),
        ("aws_instance.x", (), "cannot tell which unit"),
        ("aws_instance.x", ("network", "swarm"), "cannot tell which unit"),
        ("swarm:aws_instance.x", ("network",), "you did not choose the unit `swarm`"),
    ],
)
def test_an_address_of_no_clear_unit_is_refused(word, chosen, says):
    with pytest.raises(UsageError, match=says):
        parse(word, *chosen)


def test_with_one_state_an_address_needs_no_unit():
    assert parse("aws_vpc.x", state=StateMode.SINGLE) == ("", "aws_vpc.x")


def test_a_unit_by_itself_gets_its_own_addresses_only():
    given = ("module.network.aws_vpc.x", "module.swarm.aws_instance.y", "module.swarm")
    assert addresses.own(given, "swarm") == given[1:]


def find(word, state=StateMode.PER_MODULE):
    resolved = SimpleNamespace(environment=SimpleNamespace(units=UNITS, state=state))
    found = addresses.find(word, resolved)
    return found.unit, found.address


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("swarm", ("swarm", "module.swarm")),
        ("swarm:aws_instance.x", ("swarm", "module.swarm.aws_instance.x")),
        ("module.network.aws_vpc.x", ("network", "module.network.aws_vpc.x")),
    ],
)
def test_a_word_means_a_unit_or_an_address_in_one(word, expected):
    assert find(word) == expected


@pytest.mark.parametrize("state", list(StateMode))
def test_an_address_of_no_unit_means_nothing(state):
    with pytest.raises(UsageError, match="cannot tell which unit"):
        find("aws_vpc.x", state)
