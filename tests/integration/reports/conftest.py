"""The report that the unit tests write, too."""

import pytest

from tests import sample_runs


@pytest.fixture
def report():
    return sample_runs.report()
