"""What `kill -9` at a random moment of an apply leaves, of ngp, of Terraform or of both.

The seed and the victim also say whether the provider proxy is on, and whether the states are local or in S3.
"""

import random

import pytest

from tests.faults import lab

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox, pytest.mark.slow]
VICTIMS = ["ngp", "terraform", "both", "hurried"]


def pytest_generate_tests(metafunc):
    """A few kills as a part of `make test`, many by `make faults`; each is repeated by its seed."""
    if "seed" in metafunc.fixturenames:
        chance = random.Random(metafunc.function.__name__)
        metafunc.parametrize("seed", [chance.randrange(10**6) for _ in range(metafunc.config.getoption("--kills"))])


@pytest.fixture
def chain(lay, seed, victim):
    number = seed + VICTIMS.index(victim)
    made = lay("chain", is_local=number % 3 == 0)
    made.proxy = number % 2 == 0
    return made


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_a_kill_leaves_is_saved_or_named_by_the_next_apply(chain, record, victim, seed):
    """Every object is in a state or named, no lock and no process stays, and a plan only reports it.

    "hurried" is a second Ctrl-C: Terraform has a few seconds.
    """
    found = lab.kill(chain, victim, seed)
    record(found)
    assert found.processes == 0
    if victim == "terraform" and found.stage == "applying":
        assert "Terraform was killed" in found.said
        assert found.locks == 0, "ngp itself gives them back"
    lost = lab.recover(chain)
    found.lost = len(lost)
    if victim == "ngp":
        assert lost == [], "Terraform goes on to its end"
    found.recovered = True
