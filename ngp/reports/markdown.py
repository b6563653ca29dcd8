"""A report as Markdown, in pieces: for a file, for the comment on a pull request, for the summary of a CI job.

No value can become markup: every value stands in a code span, in a fence that is longer than any in it, or, in the
HTML of a fold, in a `<code>` element. Mentions, links, references and quick actions are not read there (GitHub's and
GitLab's Markdown), and control, bidirectional and invisible characters are written out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from ngp.errors import Finding
from ngp.reports import words
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.terraform.plans import Action
from ngp.views import places
from ngp.views.attribute_lines import AttributeLine
from ngp.views.terminal import amount

FILE_BYTES = 1_000_000  # GitHub shows no more of a job's summary
_ROWS = 50  # of a table
_COLUMNS = ("unit", "wave", "result", "changes", "why")
_CHANGES = 200  # of one unit
_LONGEST = 300  # characters of a value in a line of text
_TICKS = re.compile("`+")
_MARKS = {"~": "!", "+": "+", "-": "-"}  # as the highlighting of a difference colours them


def plain(text: str) -> str:
    """Return a text on one line, with every character that cannot be seen written out (``\\u202e``)."""
    return text if text.isprintable() else "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def code(text: str, *, longest: int = _LONGEST) -> str:
    """Return a value as a code span. A bar is written as ``¦``, since it would end the cell of a table."""
    shown = plain(text).strip().replace("|", "¦")
    shown = shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
    if not shown:
        return "–"
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def tag(text: str) -> str:
    """Return a value as a `<code>` element, for the HTML of a fold."""
    return f"<code>{html.escape(plain(text))}</code>"


def fence(lines: Iterable[str], language: str = "diff") -> str:
    """Return a code block that none of its lines can end."""
    shown = [plain(line.replace("\t", "    ")) for line in lines]
    ticks = "`" * max(3, 1 + max(map(_longest_run, shown), default=0))
    return "\n".join([f"{ticks}{language}", *shown, ticks])


def header(report: Report) -> str:
    """Return the title, the totals and the facts of a report."""
    title = words.title(report).removesuffix(report.environment)
    facts = " · ".join(f"{name} {code(value)}" for name, value in words.facts(report)[2:])
    return f"### {title}{code(report.environment)}\n\n**{words.totals(report)}**\n\n{facts}\n"


def dangers(report: Report, most: int = _ROWS) -> str:
    """Return the list of what is deleted, replaced or loses data, "" if nothing does."""
    found = list(report.dangers)
    if not found:
        return ""
    lines = [f"- **{words.action(change)}** {code(change.address)}{_remarks(change)}" for _, change in found[:most]]
    if len(found) > most:
        lines.append(f"- … and {amount(len(found) - most, 'more change')} of this kind")
    head = f"#### ⚠ {amount(len(found), 'dangerous change')}: what is deleted, replaced or forgotten with its data"
    return "\n".join([head, "", *lines, ""])


def findings(report: Report, most: int = _ROWS) -> str:
    """Return the list of what policies say, or of what ended the run; "" if there is nothing."""
    found = report.findings
    if not found:
        return ""
    lines = [_finding(one) for one in found[:most]]
    lines += [f"- … and {amount(len(found) - most, 'more')}"] if len(found) > most else []
    head = f"#### {amount(len(found), 'finding')} of policies" if report.policy else "#### The run was stopped"
    return "\n".join([head, "", *lines, ""])


def flags(report: Report, most: int = _ROWS) -> str:
    """Return the list of changed files that reviewers must check, "" if there are none."""
    found = report.flags
    if not found:
        return ""
    lines = [f"- {code(places.shown(one.where))}: {code(one.what)}" for one in found[:most]]
    lines += [f"- … and {amount(len(found) - most, 'more')}"] if len(found) > most else []
    return "\n".join(["#### Check these files before the merge", "", *lines, ""])


def _finding(one: Finding) -> str:
    where = f" at {code(places.shown(one.where))}" if one.where else ""
    return f"- {code(one.what)}{where}{f': {code(one.todo)}' if one.todo else ''}"


def table(report: Report, most: int = _ROWS) -> str:
    """Return the table of units in the order for a reviewer; unchanged units are only counted."""
    shown = [unit for unit in report.units if unit.rank < 4]
    rows = [_row(unit) for unit in shown[:most]]
    columns = _COLUMNS if any(row[-1] for row in rows) else _COLUMNS[:-1]  # an applied unit needs no reason
    lines = [f"| {' | '.join(line[: len(columns)])} |" for line in (columns, *rows)]
    head = [lines[0], f"|{'---|' * len(columns)}", *lines[1:]] if rows else []
    rest = [f"… and {amount(len(shown) - most, 'more unit')} with changes or problems"] if len(shown) > most else []
    idle = len(report.units) - len(shown)
    rest += [f"{amount(idle, 'unit')} without changes"] if idle else []
    return "\n\n".join(["\n".join(head), *rest] if head else rest) + "\n"


def unit(found: UnitReport, most: int = _CHANGES) -> str:
    """Return the fold of one unit: why, what is unknown, problems, and each change with its difference."""
    side = words.side_changes(found)
    size = html.escape(words.size(found)) + (f" ({side})" if side else "")
    summary = f"{found.outcome.traits.symbol} {tag(found.unit)}: {size}"
    parts = [f"<details><summary>{summary}</summary>\n", *_notes(found), *_problems(found)]
    parts += [_change(change) for change in found.changes[:most]]
    if len(found.changes) > most:
        parts.append(f"… and {amount(len(found.changes) - most, 'more change')}\n")
    if found.outputs:
        parts.append(f"Outputs:\n\n{fence(_lines(found.outputs))}\n")
    return "\n".join([*parts, "</details>\n"])


def render(report: Report, limit: int = FILE_BYTES) -> str:
    """Return a whole report; what has no room in `limit` bytes is left out unit by unit, and counted."""
    parts = [header(report), flags(report), findings(report), dangers(report), table(report)]
    size, shown = sum(_bytes(part) for part in parts) + 200, 0
    busy = [found for found in report.units if _is_worth(found)]
    for found in busy:
        text = unit(found)
        if size + _bytes(text) > limit:
            break
        parts.append(text)
        size, shown = size + _bytes(text), shown + 1
    if shown < len(busy):
        parts.append(f"… the changes of {amount(len(busy) - shown, 'more unit')} do not fit here\n")
    return "\n".join(part for part in parts if part)


def _is_worth(found: UnitReport) -> bool:
    return found.rank < 4 or bool(found.diagnostics or found.findings)


def _row(found: UnitReport) -> Sequence[str]:
    name = f"{found.outcome.traits.symbol} {code(found.unit)}"
    return (name, str(found.wave), found.outcome.word, _size(found), _reason(found))


def _size(found: UnitReport) -> str:
    side = words.side_changes(found)
    size = words.size(found) if found.counts.total else ""
    return ", ".join(one for one in (size, side) if one)


def _reason(found: UnitReport) -> str:
    reasons = (found.reason,) if found.reason else found.why
    return "; ".join(code(one) for one in reasons[:3]) + (f" and {len(reasons) - 3} more" if len(reasons) > 3 else "")


def _notes(found: UnitReport) -> list[str]:
    lines = [f"- why: {code(one)}" for one in found.why]
    lines += [f"- unknown: {code(one)}" for one in found.unknowns]
    lines += [f"- also invokes {code(one)}" for one in found.invocations]
    lines += [f"- {found.outcome.word}: {code(found.reason)}"] if found.reason and not found.is_failed else []
    return ["\n".join([*lines, ""])] if lines else []


def _problems(found: UnitReport) -> list[str]:
    texts = [
        [f"{one.severity}: {one.summary}", *_where(one.address, one.place), *one.detail.strip().splitlines()]
        for one in found.diagnostics
    ]
    for one in found.findings:
        fix = [f"fix: {one.todo}"] if one.todo else []
        texts.append([f"error: {one.what}", *_where(places.shown(one.where)), *([one.why] if one.why else []), *fix])
    return [f"{fence([line for text in texts for line in text], 'text')}\n"] if texts else []


def _where(*found: str) -> list[str]:
    place = ", ".join(one for one in found if one)
    return [f"where: {place}"] if place else []


def _change(change: ChangeReport) -> str:
    lines = [f"**{html.escape(change.symbol)}** {code(change.address)}{_remarks(change)}", ""]
    causes = () if change.action is Action.CREATE else words.cause(change)  # of what is new the address says enough
    for attribute, text, place in causes:
        about, where = f"{code(attribute)}: " if attribute else "", f" at {code(place)}" if place else ""
        lines.append(f"- {about}{code(text)}{where}")
    lines += [""] if causes else []
    return "\n".join([*lines, *([fence(_lines(change.lines)), ""] if change.lines else [])])


def _remarks(change: ChangeReport) -> str:
    found = [code(one) for one in words.remarks(change)]
    return f": {', '.join(found)}" if found else ""


def _lines(lines: Sequence[AttributeLine]) -> list[str]:
    return [f"{_MARKS.get(line.mark, ' ')} {'  ' * line.depth}{line.text}" for line in lines]


def _longest_run(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace")) + 1
