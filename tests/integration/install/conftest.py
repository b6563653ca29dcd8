"""The wheel that the tests of this folder install."""

import pytest

from tests.integration.install import wheels


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return wheels.build(tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel"))
