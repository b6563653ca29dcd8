"""Write the generated pages of this folder, and the generated parts of others."""  # noqa: INP001  a folder of pages, not a package

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from ngp import files
from ngp.catalogue import loading, support
from ngp.rendering import pages
from ngp.sandbox import gaps
from ngp.views import schemas
from ngp_emulator import patches, published

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# What a test's mark says it shows → how the table calls it
HOWS = {
    "applied": "applied on the sandbox",
    "scripts": "boot scripts, with fake AWS and Docker",
    "real": "real programs",
}
_RUN = re.compile(r'^run "', re.MULTILINE)


def sandbox(page: str) -> str:
    """The text of sandbox.md with its tables renewed."""
    images = [(f"image `{image.id}`", image.name) for image in published.IMAGES]
    parameters = [(f"parameter `{name}`", f"`{value}`") for name, value in published.PARAMETERS.items()]
    patched = [(_service(each), _first_line(patch)) for each in patches.SERVICES for patch in each.PATCHES]
    parts = {
        "seed": _table(("what", "is"), [*images, *parameters]),
        "patches": _table(("service", "patch"), patched),
        "gaps": _table(("about", "difference"), [(gap.about, gap.what) for gap in gaps.GAPS]),
    }
    return _renew(page, parts)


def modules(page: str) -> str:
    """The text of modules.md with its table of proofs renewed."""
    names = [folder.name for folder in loading.folders(ROOT / "modules")]
    told = proofs(sorted((ROOT / "tests").rglob("*.py")))
    rows = [
        (
            f"`{name}`",
            str(
                sum(
                    len(_RUN.findall(path.read_text())) for path in (ROOT / "modules" / name).glob("tests/*.tftest.hcl")
                )
            ),
            *(", ".join(map(_proof, told.get((how, name), {}).items())) or "–" for how in HOWS),
        )
        for name in names
    ]
    head = ("module", "mocked tests", *HOWS.values())
    return _renew(page, {"proofs": _table(head, rows)})


def calendar(page: str) -> str:
    """The text of calendar.md with its table renewed."""
    found = support.calendar()
    rows = [
        (f"[{product.title}]({product.source})", f"`{version}`", str(day))
        for product in found.values()
        for version, day in sorted(product.ends.items(), key=lambda each: each[1])
    ]
    return _renew(page, {"ends": _table(("what", "version", "end of standard support"), rows)})


def proofs(paths: Iterable[Path]) -> dict[tuple[str, str], dict[Path, bool]]:
    """The test files by what their marks `proves(how, *modules)` say: (how, module) → file → whether it is `whole`.

    It is where each test that proves this has that mark, too: then only `make test-all` runs it.
    """
    found: dict[tuple[str, str], dict[Path, bool]] = {}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for marks in _marks(ast.parse(text)) if ".mark.proves(" in text else ():
            is_whole = any(ast.unparse(mark) == "pytest.mark.whole" for mark in marks)
            for mark in marks:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.proves":
                    how, *names = map(ast.literal_eval, mark.args)
                    for name in names:
                        files = found.setdefault((how, name), {})
                        files[path] = is_whole and files.get(path, True)
    return found


def _marks(tree: ast.Module) -> Iterator[list[ast.expr]]:
    """The marks of a file's tests that stand together: on one test, or for all of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.decorator_list
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield node.value.elts if isinstance(node.value, ast.List) else [node.value]


def _proof(told: tuple[Path, bool]) -> str:
    path, is_whole = told
    return f"`{path.name}` (`make test-all`)" if is_whole else f"`{path.name}`"


def _renew(page: str, parts: Mapping[str, str]) -> str:
    for name, text in parts.items():
        head, tail = f"<!-- {name}: written by docs/generate.py -->\n", f"<!-- end of {name} -->"
        found = re.compile(f"({re.escape(head)}).*?({re.escape(tail)})", re.DOTALL)
        page, count = found.subn(lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page)
        assert count == 1, name
    return page


def _service(module: ModuleType) -> str:
    """Return the service that a file patches: `ec2_refusals` is about ec2."""
    return module.__name__.rpartition(".")[2].partition("_")[0]


def _first_line(function: Callable[[], None]) -> str:
    return (function.__doc__ or "").splitlines()[0].replace("``", "`")


def json_documents() -> dict[str, str]:
    """The JSON Schemas of what commands print, by the names of their files."""
    found = schemas.published()
    return {schemas.file_name(name): json.dumps(found[name], indent=2) + "\n" for name in found}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


if __name__ == "__main__":
    files.write(HERE / "files.md", pages.files_reference())
    for name, text in {**pages.published_schemas(), **json_documents()}.items():
        files.write(HERE / "schemas" / name, text)
    for page, renew in (
        (HERE / "sandbox.md", sandbox),
        (HERE / "modules.md", modules),
        (HERE / "calendar.md", calendar),
    ):
        files.write(page, renew(page.read_text(encoding="utf-8")))
