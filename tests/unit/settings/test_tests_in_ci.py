"""What a test lacks fails in CI, in the workers that run it too: they start with what their parent has left of CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORKER = "import tests.conftest as one; print(one.IS_CI)"
PARENT = f"""
import subprocess, sys
import tests.conftest
print(subprocess.run([sys.executable, "-c", {WORKER!r}], capture_output=True, text=True, check=True).stdout)
"""


@pytest.mark.parametrize(("ci", "is_known"), [("true", "True"), ("", "False")])
def test_a_worker_knows_what_its_parent_knew(ci, is_known):
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    environ.pop("TESTS_RUN_IN_CI", None)
    done = subprocess.run(
        [sys.executable, "-c", PARENT], env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == is_known
