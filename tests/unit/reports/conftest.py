"""A report to write."""

import pytest

from tests import sample_runs


@pytest.fixture
def report():
    return sample_runs.report()
