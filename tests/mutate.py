"""Break one line of a module at a time and see whether its tests notice: `make mutants PATHS=… TESTS=…`.

It works on a copy of what Git tracks, so the work tree stays as it is. Run it by hand: it takes a test run per mutant.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
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
    elif isinstance(node, ast.Return) and node.value is not None:
        yield ast.Return(ast.Constant(None)), "return None"


def mutants(source):
    """The line, what is done there, and the whole text of each mutant."""
    tree = ast.parse(source)
    total = sum(1 for node in ast.walk(tree) for _ in broken(node))
    for number in range(total):
        tree, seen = ast.parse(source), 0
        for parent in list(ast.walk(tree)):
            for name, value in ast.iter_fields(parent):
                for at, child in enumerate(value if isinstance(value, list) else [value]):
                    if not isinstance(child, ast.AST):
                        continue
                    for made, what in broken(child):
                        if seen == number:
                            place = ast.copy_location(made, child)
                            if isinstance(value, list):
                                value[at] = place
                            else:
                                setattr(parent, name, place)
                            yield child.lineno, what, ast.unparse(ast.fix_missing_locations(tree))
                        seen += 1


def survives(folder, tests, timeout_s):
    """Whether the tests pass in the folder; tests that hang have noticed."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _try(folder, path, asked):
    """Break one module as often as asked; returns how many mutants nobody noticed."""
    source, alive = (folder / path).read_text(), 0
    found = list(mutants(source))
    if asked.at_most and len(found) > asked.at_most:
        found = random.Random(asked.seed).sample(found, asked.at_most)
    for line, what, text in sorted(found):
        (folder / path).write_text(text)
        if survives(folder, asked.tests, asked.timeout):
            alive += 1
            sys.stdout.write(f"{path}:{line}: survived: {what}\n")
            sys.stdout.flush()
    (folder / path).write_text(source)
    sys.stdout.write(f"{path}: {len(found)} mutants, {alive} survived\n")
    return alive


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", help="modules to break")
    parser.add_argument("--tests", nargs="+", required=True, help="tests that must notice")
    parser.add_argument("--at-most", type=int, default=30, help="mutants a module, drawn by chance (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one run of the tests")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, tracked.stdout.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
        if not survives(folder, asked.tests, asked.timeout):
            parser.error("the tests fail, or take too long, before anything is broken")
        left = sum(_try(folder, path, asked) for path in asked.paths)
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
