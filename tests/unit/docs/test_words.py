"""The words of the code: no class name twice unless docs/architecture.md lists it, and no retired word in names."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "ngp"
WORDS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n## Words\n", 1)[1].split("\n## ", 1)[0]
PAGES = [page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if page.name != "architecture.md"]

IN_TEXTS = {"mend"}  # the others are words of everyday language, too


def table(head):
    rows = WORDS.split(f"| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


MODULES = dict(modules())
RETIRED = {row[0] for row in table("retired")}


def used_twice(classes):
    """Class names with their rooms, for those of several; `classes` gives (room, name)."""
    rooms = defaultdict(set)
    for room, name in classes:
        rooms[name].add(room)
    return {name: found for name, found in rooms.items() if len(found) > 1}


def public_classes():
    """(module, name) of each public class."""
    return [
        (module, node.name)
        for module, tree in MODULES.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def test_the_page_lists_exactly_the_class_names_of_several_rooms():
    classes = [(module.split(".")[0], name) for module, name in public_classes()]
    listed = {row[0].strip("`"): set(row[1].split(", ")) for row in table("class")}
    assert used_twice(classes) == listed


def used_twice_in_a_room(classes):
    """Class names with their modules, for those of several modules of one room."""
    in_rooms = used_twice((module, f"{module.split('.')[0]}: {name}") for module, name in classes)
    return {name: sorted(modules) for name, modules in in_rooms.items()}


def test_no_class_name_is_used_twice_in_a_room():
    assert used_twice_in_a_room(public_classes()) == {}


def test_a_class_name_of_two_modules_of_a_room_is_found():
    classes = [("runs.a", "Watch"), ("runs.b", "Watch"), ("terraform.a", "Watch"), ("runs.a", "Unit")]
    assert used_twice_in_a_room(classes) == {"runs: Watch": ["runs.a", "runs.b"]}


def test_a_class_name_of_two_rooms_is_found():
    assert used_twice([("runs", "Plan"), ("pool", "Plan"), ("pool", "Key")]) == {"Plan": {"pool", "runs"}}


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
        for module, tree in MODULES.items()
    }
    assert {module: names for module, names in found.items() if names} == {}


def test_every_kind_of_name_is_looked_at():
    tree = ast.parse("A = 1\nclass B:\n    c: int\n    d = 2\n    def e(self): self.f = g = 3\n")
    assert set(names_in(tree)) == set("ABcdef")


def test_texts_have_no_retired_word():
    pattern = re.compile(rf"\b(?:{'|'.join(IN_TEXTS)})(?:s|ed|ing)?\b")
    said = [
        f"{module}:{node.lineno}: {node.value}"
        for module, tree in MODULES.items()
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
