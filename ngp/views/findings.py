"""Shows findings: one block each with what, where, why and the fix."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ngp.errors import Failure, Finding
from ngp.settings import Settings
from ngp.views import excerpts, terminal


def show_error(error: Failure, *, whole: bool = False) -> None:
    """Write a failure to stderr; many findings are cut, unless `whole`.

    Needs no library, so that an early failure costs no start-up time.
    """
    digest = excerpts.pick(error.findings, whole=whole)
    more = digest.more("findings", "--json shows them")
    sys.stderr.write("\n".join([*(block(finding) for finding in digest.shown), *([more] if more else [])]) + "\n")


def block(finding: Finding, *, word: str = "error") -> str:
    """``error: WHAT`` and, where known, a line each for where, why and what to do."""
    lines = [f"{word}: {finding.what}"]
    for label, text in (("where", finding.where), ("why", finding.why), ("fix", finding.todo)):
        lines += [f"  {label + ':':<6} {line}" if not at else f"         {line}" for at, line in _lines(text)]
    return terminal.clean("\n".join(lines))


def show_checks(findings: Iterable[Finding], settings: Settings, *, passed: str, whole: bool = False) -> bool:
    """Print findings on stdout, or the line `passed` if there are none; return whether there were none.

    Many findings are cut, unless `whole`.
    """
    found = tuple(findings)
    console = terminal.out(settings)
    digest = excerpts.pick(found, whole=whole)
    for finding in digest.shown:
        console.print(terminal.line(block(finding, word="found")), soft_wrap=True)
    if digest.rest:
        console.print(terminal.line(digest.more("findings")), soft_wrap=True)
    if not found:
        console.print(terminal.line(passed), soft_wrap=True)
    return not found


def _lines(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.rstrip().splitlines())) if text else []
