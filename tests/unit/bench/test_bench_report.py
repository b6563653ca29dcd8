"""The report: JSON that comes back, Markdown that tells wins and losses alike, a picture that is one."""

import xml.etree.ElementTree as ET

import pytest

from bench import report
from bench.contest import Result, Score, Verdict
from bench.measuring import Sample

FAST = Score((Sample(1.0, 0.5, 100.0, 0.25, 7, 40.0), Sample(3.0), Sample(2.0, 0.5, 100.0, 0.25, 7, 40.0)))
RESULT = Result(
    "plan-first",
    "Plan <first>",
    "What is compared.",
    {"ngp": FAST, "terraform": Score((Sample(24.0),)), "terragrunt": Score((), "it said | no")},
    (Verdict("≥ 12×", "12.0×", is_met=True), Verdict("≤ 1/3", "1/2", is_met=False), Verdict("≥ 2×", "–", is_met=None)),
)
REPORT = report.Report({"processor": "2 × small"}, (RESULT,))


def test_json_comes_back_as_it_was(tmp_path):
    report.write(REPORT, tmp_path)
    assert report.load(tmp_path / "results.json") == REPORT


def test_markdown_says_what_is_met_and_what_is_not():
    text = report.render(REPORT)
    assert "| Plan <first> | ≥ 12× | 12.0× | met |" in text
    assert "| Plan <first> | ≤ 1/3 | 1/2 | **not met** |" in text
    assert "| ngp | 2.0 s | 1.0 s – 3.0 s | 500 ms | 100 MB | 40 MB | 250 ms (7 calls) |  |" in text
    assert "| processor | memory | of it private | API |" in text
    assert "| terraform | 24.0 s | 24.0 s – 24.0 s |  |  |  |  | 12.0× |" in text
    assert r"| terragrunt | failed: it said \| no |" in text


def test_a_part_that_was_measured_again_replaces_the_old_one():
    other = Result("start", "Start", "", {}, ())
    renewed = Result("plan-first", "Plan anew", "", {}, ())
    merged = report.merge(report.Report({}, (RESULT, other)), report.Report({"load": "0"}, (renewed,)))
    assert merged == report.Report({"load": "0"}, (renewed, other))


def test_a_part_that_was_measured_before_says_with_what(tmp_path):
    other = Result("start", "Start", "How long.", {}, ())
    before = {"processor": "2 × small", "load": "9.0", "ngp": "0.1.0 (aaa)", "tofu": "1.11.0"}
    now = {"processor": "2 × small", "load": "0.1", "ngp": "0.1.0 (bbb)"}
    later = {**now, "ngp": "0.1.0 (ccc)"}
    report.write(report.merge(report.Report(before, (RESULT, other)), report.Report(now, (RESULT,))), tmp_path)
    merged = report.merge(report.load(tmp_path / "results.json"), report.Report(later, (RESULT,)))
    text = report.render(merged)
    assert "How long. **Measured before, with load 9.0, ngp 0.1.0 (aaa), tofu 1.11.0.**" in text
    assert text.count("Measured before") == 1
    assert "| ngp | 0.1.0 (ccc) |" in text
    assert text.startswith("**The machine was busy (load 9.0)")


def test_a_page_keeps_its_prose(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- figures: written by bench -->\nold\n<!-- end of figures -->\nafter\n")
    report.write_page(REPORT, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- end of figures -->\nafter\n")
    assert "old" not in text
    assert "2 × small" in text


@pytest.mark.parametrize("results", [(RESULT,), ()])
def test_the_picture_is_well_formed(results, tmp_path):
    report.write(report.Report({}, results), tmp_path)
    bars = ET.parse(tmp_path / "performance.svg").findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 1 + (2 if results else 0)  # the ground, and whoever was measured
