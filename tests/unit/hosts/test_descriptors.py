"""Many connections need many open files."""

import resource

import pytest

from ngp.hosts import descriptors


@pytest.fixture
def limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    yield lambda: resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised_where_it_is_too_low(limit):
    hard = limit()[1]
    descriptors.allow(32)
    assert limit() == (512, hard)
    descriptors.allow(500)
    assert limit() == (128 + 500 * 6, hard)
    descriptors.allow(1)
    assert limit() == (128 + 500 * 6, hard)
    descriptors.allow(10**9)  # not above the hard limit, and no error where the system has another one
    assert limit()[1] == hard
