import re
from dataclasses import replace

import pytest

from ngp.ci import comment
from ngp.ci.comment import LIMIT, Marker
from ngp.errors import Finding
from ngp.forges.forge import Comment
from ngp.reports.report import ChangeReport, Report, UnitReport
from ngp.review.affected import AffectedUnit, CauseKind, Reason
from ngp.runs.results import Counts, Outcome, Verb
from ngp.terraform.plans import Action
from ngp.views.attribute_lines import AttributeLine

HEAD, NEWER, BUNDLE = "a" * 40, "b" * 40, "c" * 64
MARKER = Marker("dev", BUNDLE, HEAD)
HOSTILE = [
    "```\n</details>\n# gone",
    "````` ~~~",
    "<script>alert(1)</script><!-- x -->",
    "@anna @team/all #1 !2 owner/repo#3",
    "[link](https://evil.example) https://evil.example",
    "\x1b[2J\x00\x07",
    "\u202e\u2066reversed\u200b",
    "| a | b |",
    "/ngp plan " + HEAD,
    "x" * 1_000_000,
]


SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")  # code, as CommonMark reads it


def made(changes, unit="app", outcome=Outcome.PLANNED, **more):
    return UnitReport(unit, "app", 1, outcome, Counts(update=len(changes)), changes=tuple(changes), **more)


def change(text, action=Action.UPDATE, address="module.app.terraform_data.this"):
    return ChangeReport(address, "terraform_data", "~", action, lines=(AttributeLine("~", 0, text),))


def report(*units):
    return Report(Verb.PLAN, "dev", units=units, counts=sum((one.counts for one in units), Counts()))


def test_a_marker_is_read_as_it_is_written():
    for about in (MARKER, Marker("dev"), Marker("eu-prod", head=HEAD)):
        assert comment.marker(f"{about}\ntext") == about
    for body in ("", "text", f"text {MARKER}", "<!-- ngp environment=../x bundle=- head=- -->"):
        assert comment.marker(body) is None


def test_a_marker_in_somebody_elses_comment_does_not_count():
    theirs, ours = Comment("1", f"{MARKER}\n", is_own=False), Comment("2", f"{MARKER}\n", is_own=True)
    assert comment.own([theirs]) == {}
    assert comment.own([theirs, ours]) == {"dev": ours}


def test_a_comment_is_outdated_once():
    body = comment.render(report(made([change("a")])), MARKER)
    once = comment.outdate(body, NEWER)
    twice = comment.outdate(once, "d" * 40)
    assert comment.marker(twice) == MARKER
    assert once.count("Outdated") == twice.count("Outdated") == 1
    assert NEWER[:12] not in twice
    assert twice.endswith(body.partition("\n")[2])


def is_sound(body):
    """Whether the comment fits, its fences and folds are closed, and nothing of a value is markup outside of them."""
    assert len(body.encode()) <= 50_000
    inside, outside = "", []
    for line in body.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if not inside and len(ticks) >= 3:
            inside = ticks
        elif inside and line == inside:
            inside = ""
        elif not inside:
            outside.append(line)
    assert inside == ""
    text = SPAN.sub("", "\n".join(outside))
    assert text.count("<details>") == text.count("</details>")
    return text


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_becomes_markup(value):
    found = change(value, address=f'module.app.terraform_data.this["{value[:200]}"]')
    unit = made([found], reason=value, why=(value,), findings=(Finding(value, value, value, value),))
    text = is_sound(comment.render(report(unit), MARKER))
    assert "<script>" not in text
    assert not [line for line in text.splitlines() if line.startswith(("# gone", "/ngp", "@anna"))]
    assert all(mark not in text for mark in "\u202e\u2066\u200b\x1b\x00")


def test_ten_thousand_changes_are_cut_between_units():
    units = [made([change("value " * 20)] * 40, f"app-{number:03}") for number in range(250)]
    body = comment.render(report(*units), MARKER, "https://ci.example/run/1")
    is_sound(body)
    assert len(body.encode()) > LIMIT * 0.6
    assert "more units do not fit here" in body
    assert body.endswith("[All files of this run](https://ci.example/run/1)\n")


def test_ten_thousand_dangerous_changes_with_long_addresses_fit():
    changes = [change("a", Action.DELETE, f'module.app.terraform_data.this["{"k" * 400}{n}"]') for n in range(10_000)]
    is_sound(comment.render(report(made(changes)), MARKER))


def test_unchanged_units_are_only_counted():
    idle = [replace(made([]), unit=f"idle-{number}", outcome=Outcome.NO_CHANGES) for number in range(30)]
    body = comment.render(report(made([change("a")]), *idle), MARKER)
    assert "30 units without changes" in body
    assert "idle-1" not in body


def test_what_is_checked_and_not_planned():
    reason = Reason(CauseKind.MODULE, "its module changed: `x` @anna")
    units = [AffectedUnit("dev", "app", "app", (reason,))] * 80
    flagged = [Finding("a template changed", "templates/x.j2")] * 60
    body = comment.render_unplanned(
        Marker("dev", "", HEAD), "from a fork", units, [Finding("bad @anna")], flagged, HEAD
    )
    text = is_sound(body)
    assert f"/ngp plan {HEAD}" in body
    assert "`bad @anna`" in body
    assert "@anna" not in text
    assert "and 30 more units" in text
    assert "and 10 more" in text
    assert "#### Check these files before you order a plan" in body


def test_what_was_compared_with_nothing_and_may_not_be_ordered_says_neither():
    flagged = [Finding("a template changed", "templates/x.j2")]
    body = comment.render_unplanned(Marker("dev", "", HEAD), "the plan failed", None, [Finding("bad")], flagged)
    assert "Not planned: `the plan failed`" in body
    assert "#### Check these files before the merge" in body
    assert "/ngp plan" not in body
    assert "affected" not in body


def test_checks_that_are_outdated_are_no_plan():
    checks = comment.render_unplanned(Marker("dev", "", "a" * 40), "fork", [], [], [])
    outdated = comment.outdate(checks, "b" * 40)
    assert not comment.is_plan(outdated)
    assert comment.renew(outdated) == comment.renew(checks) == checks
