"""Rules for a module's README.md: the sections by people, and the markers of the generated part."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ngp.catalogue.rules.source import Fault, ModuleSource

BEGIN = "<!-- facts: written by ngp module docs -->"
END = "<!-- end of facts -->"
SECTIONS = (
    ("What it makes",),
    ("Security",),
    ("Operations", "Upgrade"),
    ("Operations", "Backup"),
    ("Operations", "Restore"),
    ("Operations", "Destroy"),
    ("Limits",),
)
_HEADING = re.compile(r"(#{2,3}) +(.*?)[ #]*")


def sections(source: ModuleSource) -> Iterator[Fault]:
    """Require every section that an operator needs, with content."""
    if not source.page.is_file():
        return  # the rule `files` reports this
    text = source.page.read_text(encoding="utf-8")
    written = _sections(text.partition(BEGIN)[0] + text.partition(END)[2])
    for path in SECTIONS:
        if path not in written:
            heading = f"{'#' * (len(path) + 1)} {path[-1]}"
            place = f" below `## {path[0]}`" if len(path) > 1 else ""
            yield source.fault("docs", f"the page has no `{heading}`{place}, or nothing in it", str(source.page))


def _sections(text: str) -> set[tuple[str, ...]]:
    """The headings of the second and third level that have words below them, as paths."""
    found: set[tuple[str, ...]] = set()
    path: tuple[str, ...] = ()
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        heading = None if is_code else _HEADING.fullmatch(line)
        if heading:
            path = (heading[2],) if heading[1] == "##" else (*path[:1], heading[2])
        elif line.strip():
            found.add(path)
    return found
