"""The comment for an environment on a pull request: one, found by a hidden marker, and edited in place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ngp.errors import Finding
from ngp.forges.forge import Comment
from ngp.reports import markdown
from ngp.reports.report import Report
from ngp.review.affected import AffectedUnit
from ngp.views import places
from ngp.views.terminal import amount

LIMIT = 50_000  # bytes of a comment: GitHub takes 65,536 characters
PLATFORM = "-"  # in the place of an environment: the comment is about what keeps all of them from being planned
_MARKER = re.compile(r"<!-- ngp environment=([a-z0-9-]{1,64}) bundle=([0-9a-f]{64}|-) head=([0-9a-f]{40,64}|-) -->")
_OUTDATED, _CHECKS = "> **Outdated**", "### Checks of "
_ROWS = (50, 20, 8, 3, 1)  # of a table: fewer until the head of the comment fits


@dataclass(frozen=True)
class Marker:
    """The marker in the first line of a comment. `bundle` and `head` are "" if absent."""

    environment: str
    bundle: str = ""
    head: str = ""

    def __str__(self) -> str:
        return f"<!-- ngp environment={self.environment} bundle={self.bundle or '-'} head={self.head or '-'} -->"


def marker(body: str) -> Marker | None:
    """Return the marker of ngp's comment, None for any other comment."""
    found = _MARKER.fullmatch(body.partition("\n")[0].strip())
    return Marker(found[1], *(word.replace("-", "") for word in found.groups()[1:])) if found else None


def own(comments: Iterable[Comment]) -> dict[str, Comment]:
    """Return ngp's oldest comment by environment; markers in comments of others do not count."""
    found: dict[str, Comment] = {}
    for one in sorted(comments, key=lambda one: (len(one.id), one.id)):  # ids are numbers, and grow
        about = marker(one.body) if one.is_own else None
        if about is not None:
            found.setdefault(about.environment, one)
    return found


def is_plan(body: str) -> bool:
    """Whether a comment shows a plan, not only checks."""
    return marker(body) is not None and not renew(body).partition("\n")[2].startswith(_CHECKS)


def outdate(body: str, head: str) -> str:
    """Return a comment with a line that the head has changed; an existing line gets the newer head."""
    first, _, rest = renew(body).partition("\n")
    text = f"{_OUTDATED}: this comment is about another commit; the newest is {markdown.code(head[:12])}"
    return f"{first}\n{text}\n\n{rest}"


def renew(body: str) -> str:
    """Return a comment without the line that the head has changed, because it may change back."""
    first, newline, rest = body.partition("\n")
    return first + newline + (rest.partition("\n\n")[2] if rest.startswith(_OUTDATED) else rest)


def render(report: Report, about: Marker, link: str = "") -> str:
    """Return the comment for a report, at most `LIMIT` bytes, cut between units.

    `link` leads to the artifacts of the run, which are complete.
    """
    tail = f"\n[All files of this run]({link})\n" if link else ""
    head = _head(report, about)
    size, parts, left = _bytes(head) + _bytes(tail) + 400, [head], 0
    for unit in (one for one in report.units if one.rank < 4):
        text = markdown.unit(unit)
        if left or size + _bytes(text) > LIMIT:
            left += 1
            continue
        parts.append(text)
        size += _bytes(text)
    if left:
        parts.append(f"… the changes of {amount(left, 'more unit')} do not fit here\n")
    return "\n".join(parts) + tail


def unmarked(body: str) -> str:
    """Return a comment without its marker, for the summary of a job."""
    return body.partition("\n")[2]


def list_findings(title: str, found: Sequence[Finding]) -> str:
    """Return findings as a list with a title, "" without any."""
    return _fit(_list(title, found)) if found else ""


def fitting(texts: Sequence[str], limit: int) -> Iterator[str]:
    """Yield the first texts that fit into `limit` bytes; the last line counts the others."""
    size = 0
    for number, text in enumerate(texts):
        size += _bytes(text)
        if size > limit:
            yield f"… {amount(len(texts) - number, 'more environment')} do not fit here\n"
            return
        yield text


def render_unplanned(
    about: Marker,
    why: str,
    units: Sequence[AffectedUnit] | None,
    found: Sequence[Finding],
    flags: Sequence[Finding],
    order: str = "",
) -> str:
    """Return the comment for a change that was not planned.

    `units` are the affected units, None if nobody compared. `order` is the commit that a member may order to plan.
    """
    lines = [str(about), f"{_CHECKS}{markdown.code(about.environment)}", "", f"Not planned: {markdown.code(why)}"]
    if order:
        lines += ["", "To plan this commit, a member writes a comment with only this line:", ""]
        lines += [markdown.fence([f"/ngp plan {order}"], "text")]
    lines += _list("Problems", found)
    lines += _list(f"Check these files before {'you order a plan' if order else 'the merge'}", flags)
    if units is not None:
        lines += ["", f"**{amount(len(units), 'unit')} affected**", ""]
        lines += [f"- {markdown.code(one.unit)}: {markdown.code(_why(one))}" for one in units[:50]]
        lines += [f"- … and {amount(len(units) - 50, 'more unit')}"] if len(units) > 50 else []
    return _fit(lines)


def render_broken(about: Marker, found: Sequence[Finding], link: str = "") -> str:
    """Return the comment for a platform that cannot be read."""
    lines = [str(about), "### ngp cannot plan this change", *_list("Problems", found)]
    lines += ["", f"[The run]({link})"] if link else []
    return _fit(lines)


def render_refused(about: Marker, found: Sequence[Finding], link: str = "") -> str:
    """Return the comment for a bundle that was refused, or whose apply did not start."""
    lines = [str(about), f"### Apply of {markdown.code(about.environment)}", "", "**Nothing was applied**"]
    lines += _list("Why", found)
    lines += ["", f"[The run]({link})"] if link else []
    return _fit(lines)


def _list(title: str, found: Sequence[Finding]) -> list[str]:
    if not found:
        return []
    lines = ["", f"#### {title}", ""]
    for one in found[:50]:
        where = f"{markdown.code(places.shown(one.where))}: " if one.where else ""
        lines.append(f"- {where}{markdown.code(one.what)}")
        lines += [f"  - fix: {markdown.code(one.todo)}"] if one.todo else []
    return [*lines, *([f"- … and {len(found) - 50} more"] if len(found) > 50 else [])]


def _why(unit: AffectedUnit) -> str:
    return "; ".join(reason.text for reason in unit.reasons)


def _fit(lines: Sequence[str]) -> str:
    size, shown = 0, list[str]()
    for line in lines:
        size += _bytes(line)
        if size > LIMIT - 100:
            shown.append("\n… the rest does not fit here")
            break
        shown.append(line)
    return "\n".join(shown) + "\n"


def _head(report: Report, about: Marker) -> str:
    for rows in _ROWS:
        parts = [
            markdown.header(report),
            markdown.flags(report, rows),
            markdown.dangers(report, rows),
            markdown.findings(report, rows),
            markdown.table(report, rows),
        ]
        text = "\n".join([str(about), *(part for part in parts if part)])
        if _bytes(text) < LIMIT // 2:
            break
    return text


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace")) + 1
