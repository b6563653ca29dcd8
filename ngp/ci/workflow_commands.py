"""GitHub workflow commands: errors at a file and line, masks, groups. No value can become a command."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ngp.errors import Finding
from ngp.reports.report import Report
from ngp.views import places

_MOST = 10  # GitHub shows ten errors of a step
_SHORTEST = 4  # characters of a mask: a shorter one would make the log unreadable


def masks(secrets: Collection[str]) -> Iterator[str]:
    """Yield the commands that hide secrets in the log, line by line; print them before anything else."""
    lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    yield from (f"::add-mask::{_text(line)}" for line in sorted(lines) if len(line) >= _SHORTEST)


def group(title: str) -> str:
    """Return the command that starts a group in the log; `END` ends it."""
    return f"::group::{_text(title)}"


END = "::endgroup::"


def stop(token: str) -> str:
    """Return the command that makes GitHub ignore commands until `resume` with the same token."""
    return f"::stop-commands::{token}"


def resume(token: str) -> str:
    """Return the command that ends a `stop`."""
    return f"::{token}::"


def errors(findings: Iterable[Finding], level: str = "error") -> Iterator[str]:
    """Yield an annotation for each finding, at its file and line if known."""
    for one in list(findings)[:_MOST]:
        place = places.finding(one)
        where = [f"file={_property(str(place['file']))}"] if place["file"] else []
        where += [f"line={place['line']}"] if place["file"] and place["line"] else []
        text = "\n".join(part for part in (one.what, one.why, f"fix: {one.todo}" if one.todo else "") if part)
        yield f"::{level} {','.join([*where, 'title=ngp'])}::{_text(text)}"


def of_report(report: Report) -> Iterator[str]:
    """Yield the errors of a report's units."""
    found = [*report.findings]
    for unit in report.units:
        found += unit.findings
        found += [
            Finding(f"{unit.unit}: {one.summary}", one.place, one.detail)
            for one in unit.diagnostics
            if one.severity == "error"
        ]
    yield from errors(found)


def _text(value: str) -> str:
    """Escape the text of a command (actions/toolkit, packages/core/src/command.ts)."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _text(value).replace(":", "%3A").replace(",", "%2C")
