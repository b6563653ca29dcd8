"""A command parses, makes one call and shows the result: what its file may not do, and how much it may choose."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "ngp" / "commands").glob("*.py"))
WRITES = {"write_text", "write_bytes", "unlink", "mkdir", "rmdir", "rename", "touch", "symlink_to", "chmod", "open"}
LAYS_OUT = {"print", "line"}  # of a console, and of `views.terminal`
BRANCHES = 9  # of one function
BRANCHES_OF_A_FILE = 27
WITHOUT_ENGINE = {"completion.py": (10, 44)}  # the shell's completion has no engine below it
# A line that is wrong, a no, a signal, an exit; a refusal or a missing prerequisite is the engine's
RAISES = {"", "UsageError", "NgpError", "StoppedError", "Exit", "BadParameter"}
REPEATS = {"options.py"}  # asks until there is an answer


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


def raised(node):
    """The names of errors that a tree raises, "" for one that is raised again."""
    errors = (one.exc for one in ast.walk(node) if isinstance(one, ast.Raise))
    calls = (one.func if isinstance(one, ast.Call) else one for one in errors)
    return {one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "") for one in calls}


def has_loop(node):
    """Whether something is done until a condition holds."""
    return any(isinstance(one, ast.While) for one in ast.walk(node))


def name(path):
    return path.name


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_command_writes_no_file_and_lays_out_no_text(path):
    assert called(ast.parse(path.read_text())) & (WRITES | LAYS_OUT) == set()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_command_chooses_little(path):
    tree = ast.parse(path.read_text())
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    of_function, of_file = WITHOUT_ENGINE.get(path.name, (BRANCHES, BRANCHES_OF_A_FILE))
    many = {one.name: branches(one) for one in functions if branches(one) > of_function}
    assert many == {}, "move what it decides into the room that the topic belongs to (docs/architecture.md)"
    assert branches(tree) <= of_file


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_command_refuses_nothing_and_repeats_nothing(path):
    tree = ast.parse(path.read_text())
    assert raised(tree) - RAISES == set()
    assert path.name in REPEATS or not has_loop(tree), "move the loop to the engine, with a call for what it repeats"


def test_what_is_forbidden_is_found():
    text = 'def f(path):\n    path.write_text("x")\n    open(path)\n    console.print(terminal.line("x"))\n'
    assert called(ast.parse(text)) & (WRITES | LAYS_OUT) == {"write_text", "open", "print", "line"}


def test_refusals_and_loops_are_found():
    tree = ast.parse("while True:\n    raise RefusedError(1)\nraise errors.MissingError\nraise\n")
    assert raised(tree) == {"RefusedError", "MissingError", ""}
    assert has_loop(tree)


def test_every_way_counts():
    text = (
        "def f(x):\n    try:\n        y = 1 if x else 2\n    except OSError:\n        pass\n"
        "    while x and y or z:\n        return [a for a in x if a]\n"
        "    match x:\n        case 1: pass\n        case _: pass\n"
    )
    assert branches(ast.parse(text)) == 1 + 1 + 1 + 2 + 2 + 2
