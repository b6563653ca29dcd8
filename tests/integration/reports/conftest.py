"""The report that the unit tests write, too."""

import pytest

from tests.unit.reports import sample


@pytest.fixture
def report():
    return sample.report()
