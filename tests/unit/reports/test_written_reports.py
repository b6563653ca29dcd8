"""Reports as JSON, JUnit and Markdown: as published, well-formed, and with no value that becomes markup."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ngp.errors import Finding, NgpError, UsageError
from ngp.reports import document, files, junit, making, markdown, page, timeline
from ngp.runs.results import Counts, Outcome, UnitResult, Verb
from ngp.terraform.events import Diagnostic
from ngp.terraform.plans import Action, Change
from ngp.views.attribute_lines import AttributeLine
from tests.sample_runs import CANARY, run

HOSTILE = st.text(st.sampled_from("`|\\\n\r\t<>&@#[]()!*_~:/.w \u202e\u200b\x1b\x00aé\ud800"), max_size=30)
LIST = ["# a", "```", "~~~", "</details>", "@team", "[a](http://b.c)", "<img src=x onerror=alert(1)>", "a@b.c", "| x |"]


def test_the_json_report_is_as_published(report, golden, as_published):
    text = document.render(report)
    found = as_published(json.loads(text))
    golden("reports/report.json", text)
    assert found["counts"]["total"] == 8
    assert [unit["unit"] for unit in found["units"]][0] == "registry"


def test_the_junit_report_has_a_case_for_each_unit(report, golden):
    text = junit.render(report)
    golden("reports/report.xml", text)
    suites = ElementTree.fromstring(text)
    assert suites.attrib == {"tests": "6", "failures": "1", "errors": "0", "skipped": "1"}
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert cases["registry"].find("failure").get("type") == "failed"
    assert "AccessDenied" in cases["registry"].find("failure").text
    assert cases["shop"].find("skipped").get("message") == "`count` depends on openvpn.names"
    assert "aws_db_instance" in cases["database"].find("system-out").text


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.STALE, Outcome.LOCKED])
def test_what_ngp_refuses_is_an_error_of_junit(outcome):
    made = making.of_run(run(UnitResult("a", "a", 1, outcome, reason="no")), making.RunFacts(), exit_code=3)
    assert ElementTree.fromstring(junit.render(made)).get("errors") == "1"


def test_the_markdown_report(report, golden):
    golden("reports/report.md", markdown.render(report))


def test_no_report_has_the_secret(report):
    for text in (document.render(report), junit.render(report), markdown.render(report)):
        assert CANARY not in text
        assert "(secret)" in text


def test_the_page_has_what_a_reviewer_asks(report):
    """How it looks is for tests/integration/reports."""
    text = page.render(report)
    for word in ("module.database.aws_db_instance.this", "environments/dev/terraform.tfvars:12", "network.vpc_id"):
        assert word in text
    assert CANARY not in text


def test_a_platform_may_have_a_page_of_its_own(report, tmp_path):
    own = tmp_path / "templates" / "reports"
    own.mkdir(parents=True)
    (own / "page.html.j2").write_text("<b>{{ units[0].reason }} {{ '<i>' }}</b>")
    assert page.render(report, tmp_path) == "<b>plan failed &lt;i&gt;</b>"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("plan.pdf", "`.pdf` is not a report format"),
        ("plan", "`` is not a report format"),
        ("none/plan.html", "the folder does not exist"),
        ("folder.md", "it is not a regular file"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_first(tmp_path, name, why):
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(UsageError) as refused:
        files.require_writable([name, "good.html"], tmp_path)
    assert [finding.why for finding in refused.value.findings] == [why]


def test_a_report_is_written_whole_or_not_at_all(report, tmp_path, monkeypatch):
    paths = files.require_writable(["a.html", "a.md", "a.html"], tmp_path)
    files.write(report, paths)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.md"]

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(NgpError, match="No space left on device"):
        files.write(replace(report, region="elsewhere"), paths)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.md"]
    assert "eu-central-1" in (tmp_path / "a.md").read_text()


def test_the_critical_path_is_what_the_run_waited_for(report):
    found = {bar.unit: (bar.start_s, bar.is_critical) for bar in timeline.bars(report)}
    assert found["network"] == (0.2, True)
    assert found["database"] == (4.5, True)
    assert found["openvpn"] == (4.5, False)


def test_units_that_are_planned_as_one_have_no_timeline(report):
    units = tuple(replace(unit, duration_s=3.0) for unit in report.units)
    assert timeline.bars(replace(report, units=units)) == []


def test_starts_are_read_from_the_journal_of_a_run(tmp_path):
    lines = [
        {"at": 10.0, "kind": "run_started", "v": 1},
        {"at": 11.5, "kind": "unit_entered", "unit": "a", "phase": "plan"},
        {"at": 12.0, "kind": "unit_entered", "unit": "a", "phase": "apply"},
        {"at": 19.0, "kind": "unit_entered", "unit": "a", "phase": "apply"},
    ]
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"at": 13')
    assert timeline.started(journal, Verb.APPLY) == {"a": 2.0}
    assert timeline.started(journal, Verb.PLAN) == {"a": 1.5}
    assert timeline.started(tmp_path / "none", Verb.PLAN) == {}


def hostile(text):
    """A report with a text in every place that takes one."""
    change = Change(
        "a." + text, "a", Action.UPDATE, {"id": text, "a": text, text: "b"}, {"id": text, "a": "c", text: text}
    )
    findings = (Finding(text, text, text, text),)
    problems = (Diagnostic("error", text, text, text, text),)
    unit = UnitResult(text, text, 1, Outcome.FAILED, Counts(update=1), (change,), reason=text, findings=findings)
    made = making.of_run(run(replace(unit, diagnostics=problems)), making.RunFacts(), exit_code=1)
    why = replace(
        made.units[0], why=(text,), unknowns=(text,), invocations=(text,), outputs=(AttributeLine("+", 0, text),)
    )
    return replace(made, environment=text, units=(why,), commit=text, account=text)


def require_no_markup(text):
    """Only the markup that ngp writes is in a text: parsed as a reader of Markdown does."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    ours = {"heading", "inline", "paragraph", "bullet_list", "list_item", "html_block", "fence"}
    assert kinds <= ours | {"table", "thead", "tbody", "tr", "th", "td"}
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
    blocks = [token.content for token in tokens if token.type == "html_block"]
    shape = r"<details><summary>.? <code>[^<>]*</code>: [^<>]*</summary>\n?|</details>\n?"
    assert all(re.fullmatch(shape, block) for block in blocks), blocks
    assert len(blocks) == 2
    for token in tokens:
        for child in token.children or ():
            assert child.type != "text" or not re.search(r"[@<>\[\]`]|https?:|www\.", child.content), child.content
    assert [token.type for token in tokens].count("td_open") == 5
    assert [token.type for token in tokens].count("fence") == 3


@pytest.mark.parametrize("text", LIST)
def test_no_listed_value_becomes_markup(text):
    require_no_markup(markdown.render(hostile(text)))


@given(HOSTILE)
def test_no_value_becomes_markup(text):
    made = markdown.render(hostile(text))
    require_no_markup(made)
    assert all(mark.isprintable() or mark == "\n" for mark in made)


@given(HOSTILE)
def test_any_value_can_be_written_as_xml_and_json(text):
    assert ElementTree.fromstring(junit.render(hostile(text)))
    assert json.loads(document.render(hostile(text)))["units"][0]["reason"] == text


def test_markdown_stays_within_its_limit_and_counts_what_it_leaves_out(report):
    text = markdown.render(report, limit=2500)
    assert len(text.encode()) <= 2500
    assert re.search(r"the changes of \d more units do not fit here", text)
    assert text.count("<details>") == text.count("</details>")


def test_a_plan_of_ten_thousand_changes_can_be_written():
    changes = tuple(Change(f"a.b[{number}]", "a", Action.CREATE, after={"x": "y" * 50}) for number in range(10_000))
    made = making.of_run(
        run(UnitResult("a", "a", 1, Outcome.PLANNED, Counts(10_000), changes)), making.RunFacts(), exit_code=0
    )
    assert "and 9,800 more changes" in markdown.render(made)
    assert len(junit.render(made)) < 300_000
