"""What `kill -9` at a random moment of an apply leaves, of ngp, of Terraform or of both, with and without the proxy."""

import random

import pytest

from tests.faults import lab

pytestmark = [pytest.mark.terraform, pytest.mark.sandbox]


def pytest_generate_tests(metafunc):
    """A few kills as a part of `make test`, many by `make faults`; each is repeated by its seed."""
    if "seed" in metafunc.fixturenames:
        chance = random.Random(metafunc.function.__name__)
        metafunc.parametrize("seed", [chance.randrange(10**6) for _ in range(metafunc.config.getoption("--kills"))])


@pytest.fixture(params=[True, False], ids=["proxy", "plain"])
def chain(request, lay):
    made = lay("chain")
    made.proxy = request.param
    return made


def test_a_killed_ngp_costs_no_resource_and_leaves_no_lock_and_no_process(chain, record, seed):
    """Terraform goes on to the end of its unit, writes its state and releases its lock."""
    found = lab.kill(chain, "ngp", seed)
    record(found)
    assert (found.locks, found.lost, found.processes) == (0, 0, 0)
    after = chain.run("apply", "dev", "--auto-approve")
    assert after.exit_code == 0, after.stderr
    assert chain.made() == chain.known() == lab.EVERYTHING
    found.recovered = True


def test_after_a_second_interrupt_nothing_runs_on_and_a_lock_that_is_left_is_named(chain, record, seed):
    """Terraform has a few seconds: enough, but where this machine or a call is slow."""
    found = lab.kill(chain, "hurried", seed)
    record(found)
    assert found.processes == 0
    assert not found.locks or f"`ngp unlock dev {chain.locks()[0]}` releases the lock" in found.said
    found.recovered = lab.recover(chain)


@pytest.mark.parametrize("victim", ["terraform", "both"])
def test_after_a_killed_terraform_nothing_runs_on_and_its_lock_is_named(chain, record, victim, seed):
    """What it made since its state was last written is lost with it; ngp says that it may be."""
    found = lab.kill(chain, victim, seed)
    record(found)
    assert found.processes == 0
    if victim == "terraform" and found.locks:
        assert "Terraform was killed by signal 9; what it made last may be missing from its state" in found.said
        assert f"`ngp unlock dev {chain.locks()[0]}` releases the lock" in found.said
    found.recovered = lab.recover(chain)
