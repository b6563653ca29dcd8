"""Write the generated pages of this folder, and the generated parts of others."""  # noqa: INP001  a folder of pages, not a package

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from ngp import files
from ngp.rendering import pages
from ngp.sandbox import account, associations, clusters, databases, gaps, repairs

HERE = Path(__file__).resolve().parent


def sandbox(page: str) -> str:
    """The text of sandbox.md with its tables renewed."""
    images = [(f"image `{image.id}`", image.name) for image in account.IMAGES]
    parameters = [(f"parameter `{name}`", f"`{value}`") for name, value in account.PARAMETERS.items()]
    mended = [each for module in (repairs, databases, associations, clusters) for each in _repairs(module)]
    parts = {
        "seed": _table(("what", "is"), [*images, *parameters]),
        "repairs": "\n".join(f"- {_first_line(each)}" for each in mended),
        "gaps": _table(("engine", "about", "how it looks"), [(gap.engine, gap.about, gap.what) for gap in gaps.GAPS]),
    }
    for name, text in parts.items():
        head, tail = f"<!-- {name}: written by docs/generate.py -->\n", f"<!-- end of {name} -->"
        found = re.compile(f"({re.escape(head)}).*?({re.escape(tail)})", re.DOTALL)
        page, count = found.subn(lambda match, text=text: f"{match[1]}\n{text}\n\n{match[2]}", page)
        assert count == 1, name
    return page


def _repairs(module: ModuleType) -> list[Callable[[], None]]:
    """The repairs of a module, in the order in which they stand there."""
    functions = [each for _, each in inspect.getmembers(module, inspect.isfunction) if each is not module.apply]
    mended = [
        each for each in functions if not each.__name__.startswith("_") and not inspect.signature(each).parameters
    ]
    return sorted(mended, key=lambda each: each.__code__.co_firstlineno)


def _first_line(function: Callable[[], None]) -> str:
    return (function.__doc__ or "").splitlines()[0].replace("``", "`")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


if __name__ == "__main__":
    files.write(HERE / "files.md", pages.files_reference())
    for name, text in pages.published_schemas().items():
        files.write(HERE / "schemas" / name, text)
    page = HERE / "sandbox.md"
    files.write(page, sandbox(page.read_text(encoding="utf-8")))
