"""The words of the code: no class name twice, and no retired word in names."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "ngp"
WORDS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n## Words\n", 1)[1].split("\n## ", 1)[0]
PAGES = [page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if page.name != "architecture.md"]

IN_TEXTS = {"mend"}  # the others are words of everyday language, too


def table(head):
    rows = WORDS.split(f"| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]


@cache  # read when a test runs, not by each worker that only collects
def modules():
    """The trees of all modules by name."""
    paths = sorted(PACKAGE.rglob("*.py"))
    names = [path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".") for path in paths]
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in zip(names, paths, strict=True)}


RETIRED = {row[0] for row in table("retired")}


def used_twice(classes):
    """Class names with their modules, for those of several; `classes` gives (module, name)."""
    found = defaultdict(set)
    for module, name in classes:
        found[name].add(module)
    return {name: modules for name, modules in found.items() if len(modules) > 1}


def test_no_class_name_is_used_twice():
    classes = [
        (module, node.name)
        for module, tree in modules().items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert used_twice(classes) == {}


def test_a_class_name_of_two_modules_is_found():
    classes = [("runs.a", "Watch"), ("runs.b", "Watch"), ("pool", "Key")]
    assert used_twice(classes) == {"Watch": {"runs.a", "runs.b"}}


def retired_in(name):
    words = re.findall(r"[A-Z]?[a-z]+", name)
    return {word for word in map(str.lower, words) for old in RETIRED if word in (old, f"{old}s", f"{old}ed")}


def names_in(tree):
    """The names that a module gives: to classes, functions, attributes, and variables of the module or a class."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.Module | ast.ClassDef):
            for each in node.body:
                targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_names_have_no_retired_word():
    found = {
        module: {name for name in (module.rpartition(".")[2], *names_in(tree)) if retired_in(name)}
        for module, tree in modules().items()
    }
    assert {module: names for module, names in found.items() if names} == {}


def test_every_kind_of_name_is_looked_at():
    tree = ast.parse("A = 1\nclass B:\n    c: int\n    d = 2\n    def e(self): self.f = g = 3\n")
    assert set(names_in(tree)) == set("ABcdef")


def test_texts_have_no_retired_word():
    pattern = re.compile(rf"\b(?:{'|'.join(IN_TEXTS)})(?:s|ed|ing)?\b")
    said = [
        f"{module}:{node.lineno}: {node.value}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.search(node.value)
    ]
    said += [f"{page.name}: {line}" for page in PAGES for line in page.read_text().splitlines() if pattern.search(line)]
    assert said == []


def test_retired_words_are_found_in_names():
    assert [retired_in(name) for name in ("open_safe", "Wish", "Offers", "is_wanted", "mended", "careful")] == [
        {"safe"},
        {"wish"},
        {"offers"},
        {"wanted"},
        {"mended"},
        set(),
    ]
