"""The small platform of this folder's tests, in two sizes."""

import shutil

import pytest

from tests.harness import lend_sandbox, stop_sandbox
from tests.integration.runs import equal_states
from tests.integration.runs.region import MODULES, VERSIONS, Region


@pytest.fixture
def region(tmp_path, monkeypatch, sandbox):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    made = Region(tmp_path / "platform", tmp_path / "home")
    made.write("ngp.yaml", "name: little\nstate: local\n")
    made.write(".terraform.lock.hcl", "# nothing is locked: nothing is fetched\n")
    made.write("templates/root/versions.tf.j2", VERSIONS)
    for name, texts in MODULES.items():
        for file, text in texts.items():
            made.write(f"modules/{name}/{file}", text)
    made.choose()
    lend_sandbox(sandbox, made.path)
    yield made
    stop_sandbox(made.path)
    shutil.rmtree(made.path, ignore_errors=True)


@pytest.fixture
def rich(region):
    """The small platform with all that a state may hold."""
    return equal_states.enrich(region)
