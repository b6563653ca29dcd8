"""A report to write."""

import pytest

from tests.unit.reports import sample


@pytest.fixture
def report():
    return sample.report()
