"""The words of the code: no class name in two rooms unless docs/architecture.md lists it, and no retired word."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "ngp"
WORDS = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n## Words\n", 1)[1].split("\n## ", 1)[0]
PAGES = [page for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if page.name != "architecture.md"]

# Names that still have a retired word: each goes when its module is renamed, and no other may come.
LEFT = {
    "ties": {"ties"},
    "proxy.safe": {"safe", "Safe", "open_safe"},
    "proxy.wanted": {"wanted", "Wanted"},
    "proxy.fleet": {"_end_wanted"},
    "proxy.server": {"Wish"},
    "commands.ci_plan": {"_Wish"},
    "catalogue.rules.care": {"care"},
    "environments.drafting": {"wanted"},
    "rendering.module_pages": {"_care"},
    "reports.report": {"needs_care"},
}
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


def unlisted(twice, listed):
    return {name: sorted(rooms) for name, rooms in twice.items() if not rooms <= listed.get(name, set())}


def test_no_class_name_is_used_in_two_rooms_unless_it_is_listed():
    classes = [
        (module.split(".")[0], node.name)
        for module, tree in MODULES.items()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    listed = {row[0].strip("`"): set(row[1].split(", ")) for row in table("class")}
    assert unlisted(used_twice(classes), listed) == {}


def test_a_further_room_of_a_listed_name_is_found():
    twice = used_twice([("runs", "Plan"), ("terraform", "Plan"), ("pool", "Plan"), ("pool", "Key")])
    assert unlisted(twice, {"Plan": {"runs", "terraform"}}) == {"Plan": ["pool", "runs", "terraform"]}


def retired_in(name):
    words = re.findall(r"[A-Z]?[a-z]+", name)
    return {word for word in map(str.lower, words) for old in RETIRED if word in (old, f"{old}s", f"{old}ed")}


def test_names_have_no_retired_word():
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = {}
    for module, tree in MODULES.items():
        names = [module.rpartition(".")[2], *(node.name for node in ast.walk(tree) if isinstance(node, kinds))]
        found[module] = {name for name in names if retired_in(name)} - LEFT.get(module, set())
    assert {module: names for module, names in found.items() if names} == {}


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
