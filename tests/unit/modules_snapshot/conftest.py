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
    before, writes = list(sys.path), sys.dont_write_bytecode
    sys.path[:0] = [str(MODULE / "functions/snapshot"), str(MODULE / "files")]
    sys.dont_write_bytecode = True  # nothing comes into the module's folders, which are copied and shipped
    yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
    sys.path[:], sys.dont_write_bytecode = before, writes
    for name in NAMES:
        sys.modules.pop(name)
