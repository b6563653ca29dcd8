"""Break one line of ngp at a time and see whether the unit tests notice: `make mutants PATHS="ngp/runs ngp/state"`.

First the unit tests run once, to learn which of them run which line. Then each mutant has the tests that run its line
run against it, in a process that has the libraries loaded already; the work tree stays as it is. A mutant that no
test runs, or that all survive, is printed with its place.
"""

import argparse
import ast
import concurrent.futures
import contextlib
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]
_LIBRARIES = "typer rich.console jinja2 pydantic yaml ruamel.yaml hcl2 boto3 botocore.session questionary pytest_mock"
SWAPS = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}


def broken(node):
    """What a node may be broken into: each a node in its place, with what was done."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPS:
        swapped = SWAPS[type(node.ops[0])]()
        yield ast.Compare(node.left, [swapped], node.comparators), type(swapped).__name__
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(SWAPS[type(node.op)](), node.values), type(SWAPS[type(node.op)]()).__name__
        for at in range(len(node.values)):
            rest = node.values[:at] + node.values[at + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest), f"without part {at + 1}"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand, "without not"
    elif isinstance(node, ast.BinOp) and type(node.op) in (ast.Add, ast.Sub):
        yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right), type(SWAPS[type(node.op)]()).__name__
    elif isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            changed = copy.copy(node)
            changed.test = ast.Constant(value)
            yield changed, f"if {value}"
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        yield ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1), "another constant"
    else:
        yield from dropped(node)


def dropped(node):
    """A statement without what it is for."""
    if isinstance(node, ast.Return) and ast.unparse(node) not in ("return", "return None"):
        yield ast.Return(ast.Constant(None)), "return None"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass(), f"without {ast.unparse(node.value)[:60]}"


def mutants(source):
    """The line, what is done there, and a function that gives the whole text, of each mutant."""
    tree = ast.parse(source)
    for parent in list(ast.walk(tree)):
        for name, value in ast.iter_fields(parent):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for at, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST):
                    for made, what in broken(child):
                        yield child.lineno, what, _unparse(tree, parent, name, (at, child), made)


def _unparse(tree, parent, name, spot, made):
    at, child = spot
    value = getattr(parent, name)
    place = ast.copy_location(made, child)
    if isinstance(value, list):
        value[at] = place
    else:
        setattr(parent, name, place)
    text = ast.unparse(ast.fix_missing_locations(tree))
    if isinstance(value, list):
        value[at] = child
    else:
        setattr(parent, name, child)
    return text


def learn(tests, timeout_s):
    """Which tests run which line: {path: {line: [test]}}, by one run of the tests."""
    with tempfile.TemporaryDirectory() as made:
        data = Path(made, "data")
        environ = {**os.environ, "COVERAGE_FILE": str(data), "PYTHONPATH": str(Path(__file__).parent)}
        run = [sys.executable, "-m", "coverage", "run", "--source=ngp", "-m", "pytest", "-p", "mutate", "-q", "-x"]
        argv = [*run, "-p", "no:cacheprovider", *tests]
        done = subprocess.run(
            argv, cwd=ROOT, env=environ, capture_output=True, timeout=timeout_s, check=False, text=True
        )
        if done.returncode:
            sys.exit(f"the tests fail before anything is broken:\n{done.stdout[-2000:]}")
        read = coverage.CoverageData(basename=str(data))
        read.read()
        return {
            str(Path(path).relative_to(ROOT)): {
                line: sorted(filter(None, found)) for line, found in read.contexts_by_lineno(path).items()
            }
            for path in read.measured_files()
        }


def pytest_runtest_logstart(nodeid, location):
    """As a plugin of pytest: what runs from now on, runs for this test."""
    if coverage.Coverage.current():
        coverage.Coverage.current().switch_context(nodeid)


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from another text."""

    def __init__(self, name, path, text):
        self._name, self._path, self._text = name, path, text

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self, origin=self._path) if name == self._name else None

    def exec_module(self, module):
        module.__file__ = self._path
        exec(compile(self._text, self._path, "exec"), module.__dict__)


def survives(path, text, tests, timeout_s):
    """Whether the tests pass with the mutant, in a fork of this process; tests that hang have noticed."""
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        _run(path, text, tests)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    previous = signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    _, status = os.waitpid(pid, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)  # what a broken module started
    return os.waitstatus_to_exitcode(status) == 0


def _run(path, text, tests):
    code = 70
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        sys.meta_path.insert(0, _Mutated(name, str(ROOT / path), text))
        sys.argv = ["pytest"]
        import pytest

        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]))
    finally:
        os._exit(code)


def _warm():
    for name in _LIBRARIES.split():
        importlib.import_module(name)


def _try(work):
    path, line, what, text, tests, timeout_s = work
    return path, line, what, bool(tests), not tests or survives(path, text, tests, timeout_s)


def _work(asked, known):
    for path in sorted(_modules(asked.paths)):
        lines = known.get(path, {})
        all_of_it = sorted({test for tests in lines.values() for test in tests})
        found = list(mutants((ROOT / path).read_text()))
        if asked.at_most and len(found) > asked.at_most:
            found = random.Random(f"{asked.seed} {path}").sample(found, asked.at_most)
        for line, what, text in sorted(found):
            tests = lines.get(line, ()) or (all_of_it if line in lines else ())  # a line that the import runs
            yield path, line, what, text, _fewest(tests, asked.tests_each), asked.timeout


def _fewest(tests, most):
    """At most so many tests, spread over those that run the line."""
    step = max(1, len(tests) // most)
    return list(tests)[::step][:most]


def _modules(paths):
    for path in map(Path, paths):
        found = sorted((ROOT / path).rglob("*.py")) if (ROOT / path).is_dir() else [ROOT / path]
        yield from (str(one.relative_to(ROOT)) for one in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="modules to break, or folders of them")
    parser.add_argument("--tests", nargs="+", default=["tests/unit"], help="tests that must notice")
    parser.add_argument("--at-most", type=int, default=20, help="mutants a module, drawn by chance (0: all)")
    parser.add_argument("--tests-each", type=int, default=60, help="tests run against a mutant, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for the tests of a mutant")
    parser.add_argument("--map", type=Path, help="a file that keeps which tests run which line")
    asked = parser.parse_args()
    if asked.map and asked.map.is_file():
        known = {path: {int(line): tests for line, tests in lines.items()} for path, lines in _read(asked.map).items()}
    else:
        known = learn(asked.tests, 3600)
        if asked.map:
            asked.map.write_text(json.dumps(known))
    made = list(_work(asked, known))
    sys.stdout.write(f"{len(made)} mutants\n")
    alive = unseen = 0
    with concurrent.futures.ProcessPoolExecutor(asked.jobs, initializer=_warm) as pool:
        for path, line, what, is_run, is_alive in pool.map(_try, made):
            alive += is_run and is_alive
            unseen += not is_run
            if is_alive:
                told = "survived" if is_run else "no test runs it"
                sys.stdout.write(f"{path}:{line}: {told}: {what}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{len(made)} mutants: {alive} survived, {unseen} on lines that no test runs\n")
    return 1 if alive or unseen else 0


def _read(path):
    return json.loads(path.read_text())


if __name__ == "__main__":
    raise SystemExit(main())
