"""The shape of the code: budgets that keep it readable, and what must never stand in a tracked file."""

import argparse
import ast
import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

from tests import selection

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
MODULES = sorted(path for package in ("ngp", "ngp_emulator") for path in (ROOT / package).rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "tools"}
EXITS_ALLOWED = ("ngp/__main__.py", "ngp/cli/", "ngp/sandbox/launcher.py")  # the last is a process of its own
EXCUSE = "# noqa: PLR0913  "  # with the reason behind it


def _name(path):
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path):
    return ast.parse(path.read_text())


@cache
def _nodes(path):
    return list(ast.walk(_tree(path)))


def _functions(path):
    return [node for node in _nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _lines(node):
    """Lines of a function without its docstring."""
    first = node.body[0]
    has_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return node.end_lineno - node.lineno + 1 - (first.end_lineno - first.lineno + 1 if has_docstring else 0)


def _parameters(node):
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def test_modules_are_small_and_say_what_they_are_for():
    found = [f"{_name(path)}: {reason}" for path in MODULES for reason in _module_faults(path)]
    assert not found, "\n".join(found)


def _module_faults(path):
    lines = len(path.read_text().splitlines())
    if lines > 300:
        yield f"{lines} lines"
    if not ast.get_docstring(_tree(path)):
        yield "a module says in its docstring what it is for"
    if path.stem in VAGUE:
        yield "this name says nothing"


def test_functions_are_short():
    lengths = [(path, node.name, _lines(node)) for path in MODULES for node in _functions(path)]
    found = [f"{_name(path)}: {name}: {lines} lines" for path, name, lines in lengths if lines > 40]
    assert not found, "\n".join(found)


def test_functions_take_few_parameters():
    counted = [path for path in MODULES if not _name(path).startswith("ngp/commands/")]
    found = [f"{_name(path)}: {wide}" for path in counted for wide in _wide(path)]
    assert not found, "\n".join(found)


def _wide(path):
    """Functions with more than six parameters and no reason given."""
    source = path.read_text().splitlines()
    many = [node for node in _functions(path) if len(_parameters(node)) > 6]
    return [f"{node.name}: {len(_parameters(node))}" for node in many if EXCUSE not in source[node.lineno - 1]]


def test_few_functions_are_excused():
    assert sum(path.read_text().count(EXCUSE) for path in MODULES) <= 6


def test_only_the_entrance_exits():
    elsewhere = [path for path in MODULES if not _name(path).startswith(EXITS_ALLOWED)]
    found = [f"{_name(path)}:{line}" for path in elsewhere for line in _exits(path)]
    assert not found, "\n".join(found)


def _exits(path):
    raised = (node for node in _nodes(path) if isinstance(node, ast.Raise))
    return [node.lineno for node in raised if "SystemExit" in ast.dump(node)]


def _cycles(imports):
    """Sets of modules that reach each other, by `imports` (module → modules)."""
    found, left = [], set(imports)
    while left:
        start = left.pop()
        circle = _reached(imports, start) & _reached(_turned(imports), start)
        left -= circle
        if circle:
            found.append(circle)
    return found


def _reached(imports, start):
    seen, ahead = set(), [start]
    while ahead:
        new = imports[ahead.pop()] - seen
        seen |= new
        ahead += new
    return seen


def _turned(imports):
    turned = {module: set() for module in imports}
    for module, others in imports.items():
        for other in others:
            turned[other].add(module)
    return turned


def test_no_modules_import_each_other_not_even_for_types():
    graph = grimp.build_graph("ngp", exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) & graph.modules for module in graph.modules}
    assert [sorted(circle) for circle in _cycles(imports)] == []


def test_a_circle_of_imports_is_found():
    assert _cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]


def _imported(path):
    """The modules that a file imports, and what it imports of them: `from a import b` gives `a` and `a.b`."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_no_test_imports_a_test_or_a_conftest():
    """What they share is in a module beside them, or directly in tests."""
    line = re.compile(r"^\s*(?:from|import) tests\b.*(?:conftest|test_)", re.MULTILINE)
    found = {
        f"{_name(path)}: {name}"
        for path in TESTS.rglob("*.py")
        if line.search(path.read_text())
        for name in _imported(path)
        if name.startswith("tests.") and any(word == "conftest" or word.startswith("test_") for word in name.split("."))
    }
    assert found == set()


def test_unit_tests_and_integration_tests_import_nothing_of_each_other():
    """What both use is directly in tests, or in tests/doubles."""
    tops = ("unit", *selection.INTEGRATION)
    found = {
        f"{_name(path)}: {name}"
        for top in tops
        for path in (TESTS / top).rglob("*.py")
        if any(f"tests.{other}" in path.read_text() for other in tops if other != top)  # few have to be parsed
        for name in _imported(path)
        if name.startswith(tuple(f"tests.{other}." for other in tops if other != top))
    }
    assert found == set()


def _is_integration(path):
    """Whether a file's tests have the mark: their folder says so, or `pytestmark` does for all of them."""
    top = path.relative_to(TESTS).parts[0]
    return top in selection.INTEGRATION or (top == "modules" and "pytest.mark.integration" in _mark_of_all(path))


def _mark_of_all(path):
    values = [node.value for node in _tree(path).body if isinstance(node, ast.Assign)]
    targets = [ast.unparse(node.targets[0]) for node in _tree(path).body if isinstance(node, ast.Assign)]
    return "".join(ast.unparse(value) for target, value in zip(targets, values, strict=True) if target == "pytestmark")


def _runs(target):
    """What a target of the Makefile has pytest run: the marks, and a function that knows its files."""
    recipe = (ROOT / "Makefile").read_text().split(f"\n{target}:", 1)[1].split("\n\n", 1)[0]
    (call,) = re.findall(r"/bin/pytest (.*)", recipe)
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", dest="marks")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--ignore", action="append", default=[])
    found, others = parser.parse_known_args(shlex.split(call))
    roots = [ROOT / word for word in others if word.startswith("tests")]

    def has(path):
        return _is_below(path, roots) and not _is_below(path, [ROOT / name for name in found.ignore])

    return (found.marks, found.whole), has


def _is_below(path, folders):
    return any(path.is_relative_to(folder) for folder in folders)


def test_every_test_lies_where_the_makefile_looks():
    """Each test has one of the three targets: by the mark `integration`, or without it, or by `whole`."""
    asked, looks = zip(*map(_runs, ("check", "test", "test-all")), strict=True)
    assert asked == (("not integration", False), ("integration", False), ("whole", True))
    check, test, everything = looks
    files = sorted(TESTS.rglob("test_*.py"))
    lost = [path for path in files if not (test if _is_integration(path) else check)(path)]
    lost += [path for path in files if re.search(r"\bmark\.whole\b", path.read_text()) and not everything(path)]
    assert [_name(path) for path in lost] == []
    assert not check(TESTS / "integration" / "test_streams.py")


def _modules():
    return sorted(path.name for path in (ROOT / "modules").iterdir() if path.is_dir())


def test_folders_of_module_tests_are_named_for_modules():
    folders = {path.relative_to(TESTS / "modules").parts[0] for path in (TESTS / "modules").glob("*/**/test_*.py")}
    assert folders - set(_modules()) == set()


def test_what_tests_one_module_of_the_catalogue_lies_in_the_folder_of_modules():
    """A test shows something of a module alone, or runs a file of it."""
    proves = re.compile(r"""mark\.proves\(["'](?:scripts|real)""")
    own = re.compile(
        rf"""/ ["']modules(?:/|["'] / ["'])(?:{"|".join(_modules())})(?:/|["'] / ["'])f(?:iles|unctions)\b"""
    )
    elsewhere = [path for path in TESTS.rglob("*.py") if not path.is_relative_to(TESTS / "modules")]
    found = [_name(path) for path in elsewhere if proves.search(path.read_text()) or own.search(path.read_text())]
    assert found == []


def test_module_tests_with_real_programs_are_for_make_test():
    """`make check` runs what has no mark `integration`; files are of one kind, so `pytestmark` has it."""
    real = re.compile(r"mark\.(?:terraform|tofu|sandbox|docker|nspawn|prometheus|cloud_init|debian|chromium|whole)\b")
    files = sorted((TESTS / "modules").rglob("test_*.py"))
    quick = [path for path in files if not _is_integration(path)]
    assert [_name(path) for path in quick if real.search(path.read_text())] == []
    assert [_name(path) for path in quick if "mark.integration" in path.read_text()] == []
    assert 0 < len(quick) < len(files)


def test_no_other_test_says_for_itself_that_it_is_an_integration_test():
    """Its folder does: a unit test with this mark would run nowhere."""
    elsewhere = [path for path in TESTS.glob("*/**/test_*.py") if not path.is_relative_to(TESTS / "modules")]
    found = [_name(path) for path in elsewhere if "mark.integration" in path.read_text()]
    assert found == []


def test_every_declared_mark_is_used():
    """pytest itself refuses a mark that is not declared (--strict-markers)."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    used = {name for path in TESTS.rglob("*.py") for name in re.findall(r"\bmark\.(\w+)", path.read_text())}
    assert {re.match(r"\w+", line)[0] for line in declared} - used == set()


def _tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("this is not a Git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_tracked_files_name_no_machine_and_no_package_index():
    hosts = [
        "py" + "pi.org",
        "python" + "hosted.org",
        "npm" + "js.org",
        "npm" + "js.com",
        "proxy.golang" + ".org",
        "deb.debian" + ".org",
    ]
    machine = [
        r"(?<![\w.}*<])/(?:work|root)/[a-z.]",
        r"(?<![\w.}])/home/(?!me/|ec2-user|ubuntu|admin)[a-z]+/",
        r"/tmp/bash_",
    ]
    pattern = re.compile("|".join([*map(re.escape, hosts), *machine]))
    found = []
    for path in _tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{_name(path)}: {match.group()}" for match in pattern.finditer(text) if path != Path(__file__)]
    assert found == []


def test_test_files_have_unique_names():
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
