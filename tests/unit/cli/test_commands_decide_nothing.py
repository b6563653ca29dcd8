"""A command parses, makes one call and shows the result: what its file may not do, and how much it may choose."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "ngp" / "commands").glob("*.py"))
WRITES = {"write_text", "write_bytes", "unlink", "mkdir", "rmdir", "rename", "touch", "symlink_to", "chmod", "open"}
LAYS_OUT = {"print", "line"}  # of a console, and of `views.terminal`
BRANCHES = 12  # of one function
BRANCHES_OF_A_FILE = 44  # that of the shell's completion, which has no engine below it


def branches(node):
    """The number of ways that a function may take: conditions, loops, handlers, and each `and`, `or` and filter."""
    found = 0
    for one in ast.walk(node):
        if isinstance(one, ast.If | ast.IfExp | ast.For | ast.While | ast.ExceptHandler):
            found += 1
        elif isinstance(one, ast.BoolOp):
            found += len(one.values) - 1
        elif isinstance(one, ast.comprehension):
            found += 1 + len(one.ifs)
        elif isinstance(one, ast.Match):
            found += len(one.cases)
    return found


def called(node):
    """The names of functions and methods that a tree calls."""
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in calls}


def name(path):
    return path.name


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_command_writes_no_file_and_lays_out_no_text(path):
    assert called(ast.parse(path.read_text())) & (WRITES | LAYS_OUT) == set()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_command_chooses_little(path):
    tree = ast.parse(path.read_text())
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    many = {one.name: branches(one) for one in functions if branches(one) > BRANCHES}
    assert many == {}, "move what it decides into the room that the topic belongs to (docs/architecture.md)"
    assert branches(tree) <= BRANCHES_OF_A_FILE


def test_what_is_forbidden_is_found():
    text = 'def f(path):\n    path.write_text("x")\n    open(path)\n    console.print(terminal.line("x"))\n'
    assert called(ast.parse(text)) & (WRITES | LAYS_OUT) == {"write_text", "open", "print", "line"}


def test_every_way_counts():
    text = (
        "def f(x):\n    try:\n        y = 1 if x else 2\n    except OSError:\n        pass\n"
        "    while x and y or z:\n        return [a for a in x if a]\n"
        "    match x:\n        case 1: pass\n        case _: pass\n"
    )
    assert branches(ast.parse(text)) == 1 + 1 + 1 + 2 + 2 + 2
