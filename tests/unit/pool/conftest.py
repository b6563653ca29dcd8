"""A folder as a pool has it."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def sockets():
    folder = tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp")  # a unix socket's path is short
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
