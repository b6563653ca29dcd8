"""A report as JUnit XML, for CI systems: a test case for each unit.

Source: the format that Jenkins, GitLab and GitHub's actions read (testsuites, testsuite, testcase; failure, error,
skipped, system-out).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from ngp.errors import Finding
from ngp.policies.verdict import Severity, Violation
from ngp.reports import words
from ngp.reports.report import Report, UnitReport
from ngp.runs.outcomes import Outcome

# Characters that XML 1.0 has no way to write, and those that change how text around them reads
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_REFUSED = (3, 4, 5)  # exit codes: ngp did not do it, and what was to be done may be right
_LINES = 2000  # of one unit's changes


def render(report: Report) -> str:
    """Return the text of the file: what failed is a failure, what was refused an error, what waits is skipped."""
    suite = ElementTree.Element("testsuite", name=_text(words.title(report)))
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for unit in report.units:
        case = ElementTree.SubElement(suite, "testcase")
        case.attrib |= {
            "classname": _text(f"{report.project or 'ngp'}.{report.environment}"),
            "name": _text(unit.unit),
            "time": f"{unit.duration_s:.3f}",
        }
        totals["tests"] += 1
        kind = _kind(unit)
        if kind:
            totals[kind[1]] += 1
            found = ElementTree.SubElement(case, kind[0], message=_text(unit.reason or unit.outcome.word))
            found.set("type", unit.outcome.value)
            found.text = _text("\n".join(_problems(unit)))
        ElementTree.SubElement(case, "system-out").text = _text("\n".join(_changes(unit)))
    for finding in () if report.policy else report.findings:
        _ended(suite, finding, report, totals)
    for one in report.policy.violations if report.policy else ():
        _policy(suite, one, report, totals)
    for flag in report.flags:
        _flag(suite, flag, report, totals)
    suite.attrib |= {name: str(number) for name, number in totals.items()} | {"time": f"{report.duration_s:.3f}"}
    properties = ElementTree.Element("properties")
    for name, value in words.facts(report):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    suite.insert(0, properties)
    suites = ElementTree.Element("testsuites", {name: str(number) for name, number in totals.items()})
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _ended(suite: ElementTree.Element, found: Finding, report: Report, totals: dict[str, int]) -> None:
    """Add the case of a run that ended as a whole."""
    case = ElementTree.SubElement(suite, "testcase", name=_text(words.title(report)), time="0.000")
    case.set("classname", _text(f"{report.project or 'ngp'}.{report.environment}"))
    totals["tests"] += 1
    totals["errors"] += 1
    ElementTree.SubElement(case, "error", message=_text(found.what), type="ended").text = _text(
        f"{found}\n{found.todo}"
    )


def _policy(suite: ElementTree.Element, found: Violation, report: Report, totals: dict[str, int]) -> None:
    """Add a case for a broken policy: a denial is a failure, a warning passes with its text."""
    case = ElementTree.SubElement(suite, "testcase", name=_text(f"{found.rule} {found.address}"), time="0.000")
    case.set("classname", _text(f"{report.project or 'ngp'}.{report.environment}.policy"))
    totals["tests"] += 1
    if found.severity is Severity.DENY:
        totals["failures"] += 1
        ElementTree.SubElement(case, "failure", message=_text(found.message), type="denied").text = _text(found.todo)
    else:
        ElementTree.SubElement(case, "system-out").text = _text(found.message)


def _flag(suite: ElementTree.Element, found: Finding, report: Report, totals: dict[str, int]) -> None:
    """Add a case for a changed file that reviewers must check: it is skipped, because ngp cannot judge it."""
    case = ElementTree.SubElement(suite, "testcase", name=_text(f"check {found.where or found.what}"), time="0.000")
    case.set("classname", _text(f"{report.project or 'ngp'}.{report.environment}.files"))
    totals["tests"] += 1
    totals["skipped"] += 1
    ElementTree.SubElement(case, "skipped", message=_text(found.what), type="check").text = _text(found.why)


def _kind(unit: UnitReport) -> tuple[str, str] | None:
    """The element of an outcome, and which total counts it."""
    if unit.outcome.traits.exit_code in _REFUSED:
        return "error", "errors"
    if unit.is_failed:
        return "failure", "failures"
    return ("skipped", "skipped") if unit.outcome in (Outcome.DEFERRED, Outcome.SKIPPED) else None


def _problems(unit: UnitReport) -> Iterator[str]:
    for one in unit.diagnostics:
        place = ", ".join(part for part in (one.address, one.place) if part)
        yield f"{one.severity}: {one.summary}{f' ({place})' if place else ''}\n{one.detail}".strip()
    for finding in unit.findings:
        yield f"error: {finding}{f'; fix: {finding.todo}' if finding.todo else ''}"


def _changes(unit: UnitReport) -> list[str]:
    lines = [words.size(unit), *(f"unknown: {one}" for one in unit.unknowns)]
    for change in unit.changes:
        remarks = "; ".join(words.remarks(change))
        lines.append(f"{change.symbol} {change.address}{f'  # {remarks}' if remarks else ''}")
        lines += [f"    {line}" for line in change.lines]
    return lines if len(lines) <= _LINES else [*lines[:_LINES], f"… and {len(lines) - _LINES} more lines"]


def _text(text: str) -> str:
    return _FORBIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
