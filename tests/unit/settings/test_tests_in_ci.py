"""What a test lacks fails in CI, in the workers that run it too: they start with what their parent has left of CI."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.selection import spread

ROOT = Path(__file__).parents[3]
WORKER = "import tests.prerequisites as one; print(one.IS_CI)"
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


MOVING = """
import os
from pathlib import Path

def test_that_moves_where_nothing_stays(tmp_path):
    os.chdir(tmp_path)

def test_after_it():
    assert Path.cwd() == Path(os.environ["EXPECTED"])
"""


def run_tests(folder, environ, *options):
    """Run the tests of a folder with the conftest of these."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    argv += ["--rootdir", folder, *options, folder]
    return subprocess.run(argv, env=environ, cwd=folder, capture_output=True, text=True, check=False)


def test_a_test_that_moves_is_told_and_the_next_one_is_where_it_was(tmp_path):
    """Also where pytest has deleted the folder by then."""
    (tmp_path / "test_moving.py").write_text(MOVING)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "EXPECTED": str(tmp_path)}
    done = run_tests(tmp_path, environ, "-o", "tmp_path_retention_policy=failed")
    assert done.stdout.splitlines()[-1].startswith("2 passed, 1 error in "), done.stdout
    assert "the test changed the working directory; use monkeypatch" in done.stdout


@pytest.mark.parametrize(("ci", "counts"), [("true", "1 failed, 1 skipped, 1 error"), ("", "3 skipped")])
def test_a_test_that_skips_for_want_of_a_prerequisite_fails_in_ci(tmp_path, ci, counts):
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    environ.pop("TESTS_RUN_IN_CI", None)
    done = run_tests(tmp_path, environ)
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
    def __init__(self, path, **marks):
        self.path, self._marks = path, marks

    def iter_markers(self, name):
        return [SimpleNamespace(args=self._marks[name])] if name in self._marks else []


def test_slow_files_come_first_and_among_them_those_that_wait():
    short = [Item(f"short-{number}.py") for number in range(4)]
    slow = [Item(f"slow-{number}.py", slow=()) for number in range(4)]
    applies = [Item("applies.py", proves=("scripts",)), Item("applies.py", proves=("applied", "network"))]
    boots = [Item("boots.py", docker=(), slow=())]
    order = spread([*short[:2], *slow[:3], *applies, *short[2:], *boots, *slow[3:]])
    assert order == [*applies, *slow[:2], *boots, *slow[2:], *short]
    assert spread(short) == short
