import pytest

from tests.unit.packages.hosts_of_folders import Machines


@pytest.fixture
def machines(tmp_path):
    return Machines(tmp_path)
