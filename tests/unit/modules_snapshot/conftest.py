"""The module's own Python, imported as it is where it runs: by its bare names."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

MODULE = Path(__file__).parents[3] / "modules/snapshot"
NAMES = ("store", "marathon", "handler", "engine", "state", "swarm")


@pytest.fixture(scope="package")
def code():
    """`code.marathon`, `code.swarm`, … Nothing of it stays importable for other tests."""
    before = list(sys.path)
    sys.path[:0] = [str(MODULE / "functions/snapshot"), str(MODULE / "files")]
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    sys.path[:] = before
    for name in NAMES:
        sys.modules.pop(name)
