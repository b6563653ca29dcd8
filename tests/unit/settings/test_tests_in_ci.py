"""What a test lacks fails in CI, in the workers that run it too: they start with what their parent has left of CI."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import spread

ROOT = Path(__file__).parents[3]
WORKER = "import tests.conftest as one; print(one.IS_CI)"
PARENT = f"""
import subprocess, sys
import tests.conftest
print(subprocess.run([sys.executable, "-c", {WORKER!r}], capture_output=True, text=True, check=True).stdout)
"""
SKIPPING = """
import pytest

@pytest.mark.skipif(True, reason="MISSING: a tool")
def test_by_mark():
    pass

def test_by_itself():
    pytest.skip("MISSING: a device")

def test_of_another_system():
    pytest.skip("only macOS has it")
"""


@pytest.mark.parametrize(("ci", "counts"), [("true", "1 failed, 1 skipped, 1 error"), ("", "3 skipped")])
def test_a_test_that_skips_for_want_of_a_prerequisite_fails_in_ci(tmp_path, ci, counts):
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    environ.pop("TESTS_RUN_IN_CI", None)
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        tmp_path,
    ]
    done = subprocess.run([*argv, tmp_path], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].startswith(f"{counts} in "), done.stdout
    told = [reason for reason in ("missing in CI: a tool", "missing in CI: a device") if reason in done.stdout]
    assert len(told) == (2 if ci else 0)


@pytest.mark.parametrize(("ci", "is_known"), [("true", "True"), ("", "False")])
def test_a_worker_knows_what_its_parent_knew(ci, is_known):
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    environ.pop("TESTS_RUN_IN_CI", None)
    done = subprocess.run(
        [sys.executable, "-c", PARENT], env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == is_known


class Item:
    def __init__(self, path, *proves):
        self.path, self._marks = path, [SimpleNamespace(args=(how,)) for how in proves]

    def iter_markers(self, name):
        return self._marks


def test_files_that_wait_are_among_others_and_not_at_the_end():
    others = [Item(f"{number}.py") for number in range(12)]
    first, second = [Item("waits.py"), Item("waits.py", "applied")], [Item("too.py", "scripts", "applied")]
    order = spread([*others[:6], *first, *second, *others[6:]])
    assert [item for item in order if item in others] == others
    assert order.index(first[1]) == order.index(first[0]) + 1
    assert [order.index(first[0]), order.index(second[0])] == [0, 7]
    assert spread(others) == others
