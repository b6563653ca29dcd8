"""Labs: with the AWS provider and an account of its own, with the test provider, with both."""

import os

import pytest

from ngp.sandbox import server

pytest.register_assert_rewrite("tests.comparing", "tests.integration.proxy.lab")
from tests.integration.proxy.lab import Lab, find_aws, make_fickle  # noqa: E402  what it imports is rewritten


@pytest.fixture(scope="session")
def start_emulator(tmp_path_factory):
    """`start_emulator()` starts another sandbox; gives its workspace and address."""
    started = []

    def start():
        workspace = tmp_path_factory.mktemp("emulator") / ".ngp"
        started.append(workspace)
        return workspace, server.start(workspace, dict(os.environ)).url

    yield start
    for workspace in started:
        server.stop(workspace)


@pytest.fixture(scope="session")
def emulator(start_emulator):
    return start_emulator()


@pytest.fixture(scope="session")
def fickle(tmp_path_factory):
    return make_fickle(tmp_path_factory.mktemp("fickle"))


@pytest.fixture
def lab(tmp_path, emulator):
    return Lab(tmp_path / "root", find_aws(tmp_path), emulator)


@pytest.fixture
def fickle_lab(tmp_path, fickle):
    return Lab(tmp_path / "root", fickle)


@pytest.fixture
def mixed_lab(tmp_path, tmp_path_factory, emulator):
    supply = make_fickle(tmp_path_factory.mktemp("mixed"), find_aws(tmp_path))
    return Lab(tmp_path / "root", supply, emulator)
