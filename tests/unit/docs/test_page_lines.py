"""What the pages say is there: links, commands with their flags, rooms and doors between the rooms, generated parts."""

import importlib
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BY_HAND = [page for page in PAGES if page.name not in ("commands.md", "files.md")]
HOUSE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if "://" not in target and (not found.exists() or (anchor and anchor not in anchors(found))):
            lost.append(target)
    assert lost == []


def commands(page):
    """Every `ngp …` on a line that begins with `$`, as words."""
    for line in re.findall(r"^\$ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        for part in re.split(r"&&|\|\||>", line):
            words = shlex.split(part, comments=True)
            if words[:1] == ["ngp"]:
                yield words[1:]


@pytest.mark.parametrize("page", [page for page in BY_HAND if any(commands(page))], ids=lambda page: page.name)
def test_commands_and_their_flags_are_those_of_ngp(page, ngp):
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^### `ngp ([a-z ]+?)(?: [A-Z\[{].*)?`$", reference, re.MULTILINE))
    for words in commands(page):
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, f"{page.name}: ngp {' '.join(words)}"
        described = reference.split(f"### `ngp {name}", 1)[1].split("\n###", 1)[0]
        flags = [word.split("=")[0] for word in words if word.startswith("--")]
        assert [flag for flag in flags if f"`{flag}" not in described] == [], f"{page.name}: ngp {' '.join(words)}"


def test_commands_on_a_state_name_the_unit_and_prepare_its_folder():
    """A unit's module is called by the unit's name, which need not be the module's."""
    wrong, seen = [], 0
    for page in (ROOT / "modules").glob("*/README.md"):
        for paragraph in re.split(r"\n\n|\n- ", page.read_text(encoding="utf-8")):
            for command in re.finditer(r"`terraform (?:state rm|import) '(\S+)", paragraph):
                seen += 1
                before = paragraph[: command.start()]
                if not command[1].startswith("module.UNIT.") or "`terraform init`" not in before:
                    wrong.append(f"{page.parent.name}: {command[1]}")
    assert seen
    assert wrong == []


@pytest.mark.parametrize("page", BY_HAND, ids=lambda page: page.name)
def test_distribution_is_called_by_its_own_name(page):
    assert not re.search(r"pip install ['\"]?ngp\b(?!-platform)", page.read_text(encoding="utf-8"))


def test_make_targets_on_the_pages_are_there():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for page in BY_HAND for name in re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8"))}
    assert named - targets == set()


def test_rooms_of_the_house_are_those_of_the_tree():
    rows = HOUSE.split("| room |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    rooms = {name.removesuffix(".py") for row in rows for name in re.findall(r"`([\w.]+)/?`", row.split("|")[1])}
    listed = subprocess.run(["git", "ls-files", "ngp"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not listed:
        pytest.skip("this is not a Git checkout")
    tree = {Path(name).parts[1] for name in listed} - {"__init__.py", "py.typed"}
    assert {name.removesuffix(".py") for name in tree} == rooms


def test_doors_of_the_house_are_there():
    doors = HOUSE.split("## Doors", 1)[1].split("\n## ", 1)[0]
    named = re.findall(r"`((?:\w+\.)*\w+)\.(\w+)\(", doors)
    assert len(named) > 25
    for module, name in named:
        assert hasattr(importlib.import_module(f"ngp.{module}"), name), f"{module}.{name}"


PROOFS = sorted(
    path for path in (ROOT / "tests").rglob("*.py") if ".mark.proves(" in path.read_text() and path != Path(__file__)
)


def test_the_table_of_proofs_is_as_the_tests_say():
    text = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    assert runpy.run_path(str(ROOT / "docs" / "generate.py"))["modules"](text) == text, "run `python docs/generate.py`"


def test_the_table_says_what_only_make_test_all_proves(tmp_path):
    mark = "@pytest.mark."
    proves = f'{mark}proves("real", "a")'
    whole = f"{mark}whole\n{proves}\ndef test_one(): pass\n"
    texts = {
        "whole": whole,
        "both": f"{proves}\ndef test_two(): pass\n{whole}",
        "quick": f"pytestmark = {proves[1:]}\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    found = runpy.run_path(str(ROOT / "docs" / "generate.py"))["proofs"](sorted(tmp_path.glob("*.py")))
    assert {path.stem: is_whole for path, is_whole in found["real", "a"].items()} == {
        "whole": True,
        "both": False,
        "quick": False,
    }


@pytest.mark.parametrize("path", PROOFS, ids=lambda path: path.name)
def test_what_a_test_says_it_proves_is_what_it_is_about(path):
    """Each module named by the mark exists and is named beside it; whoever says *applied* applies."""
    page = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    known = {folder.name for folder in (ROOT / "modules").iterdir() if folder.is_dir()}
    beside = path.parent / "conftest.py"
    text = path.read_text() + (beside.read_text() if beside.is_file() else "")
    text = re.sub(r"pytest\.mark\.proves\([^)]*\)", "", text)
    dev = (ROOT / "environments" / "dev" / "environment.yaml").read_text()
    about = text + dev if '"dev"' in text else text
    for how, name in page["proofs"]([path]):
        assert how in page["HOWS"]
        assert name in known
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", about), f"{path.name} does not name {name}"
        assert how != "applied" or '"apply"' in text or ".make(" in text


@pytest.mark.parametrize("module", sorted((ROOT / "modules").glob("*/module.yaml")), ids=lambda path: path.parent.name)
def test_every_module_has_mocked_tests(module):
    texts = [path.read_text() for path in module.parent.glob("tests/*.tftest.hcl")]
    assert any('mock_provider "aws"' in text for text in texts)


def test_tables_of_the_sandbox_are_as_the_code_says():
    page = ROOT / "docs" / "sandbox.md"
    text = page.read_text(encoding="utf-8")
    assert runpy.run_path(str(ROOT / "docs" / "generate.py"))["sandbox"](text) == text, "run `python docs/generate.py`"
    assert "aws_opensearch_domain" in text
