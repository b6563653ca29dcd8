import pytest

from tests.doubles.hosts_of_folders import Machines


@pytest.fixture
def machines(tmp_path):
    return Machines(tmp_path)
