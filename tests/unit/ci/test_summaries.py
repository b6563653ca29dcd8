"""The summary of a job on GitHub, also where nothing was planned, and the files that reviewers must check."""

import json
from xml.etree import ElementTree

import pytest

from ngp.ci import changes, comment
from ngp.ci.comment import Marker
from ngp.errors import Finding
from ngp.reports import document, junit, markdown, page
from ngp.reports.report import Report
from ngp.runs.results import Verb

TFVARS = "environments/dev/terraform.tfvars"
EXTERNAL = 'data "external" "x" {\n  program = ["true"]\n}\n'
FLAGGED = Report(Verb.PLAN, "dev", flags=(Finding("a template changed", "templates/root/main.tf.j2", "it is code"),))


@pytest.fixture
def summarize(repository, tmp_path):
    """`summarize("plan", event=event)` runs `ngp ci` and returns the summary of the job."""
    path = tmp_path / "summary.md"

    def run(*line, code=0, **more):
        done = repository.run(*line, env={"GITHUB_STEP_SUMMARY": str(path)}, **more)
        assert done.exit_code == code, done.stderr
        return path.read_text()

    return run


def test_the_summary_of_a_fork_lists_what_could_run_code(repository, summarize):
    base = repository.head
    (repository.path / "modules/base/more.tf").write_text(EXTERNAL)
    repository.commit()
    text = summarize("plan", "dev", event=repository.pull(base))
    assert "### Checks of `dev`" in text
    assert "`modules/base/more.tf:1`: ``an `external` data source runs a program in every plan``" in text
    assert "<!--" not in text


def test_the_summary_lists_what_to_check_where_no_environment_is_affected(repository, summarize):
    base = repository.head
    (repository.path / "policies").mkdir()
    (repository.path / "policies/wide.rego").write_text("package wide\n")
    repository.commit()
    text = summarize("plan", event=repository.pull(base))
    assert "#### Check these files before the merge" in text
    assert "- `policies/wide.rego`: `a policy changed`" in text


def test_the_summary_says_why_nothing_was_planned(repository, summarize):
    base = repository.head
    repository.commit("ngp.yaml", "name: small", "nam: small")
    assert "`ngp.yaml:2`" in summarize("plan", code=64, event=repository.pull(base))


@pytest.mark.parametrize("name", ["schedule", "merge_group"])
def test_the_summary_asks_for_an_order_only_where_one_helps(repository, summarize, monkeypatch, name):
    """Nobody can order a plan at night or in a queue, and nobody compared anything at night."""
    monkeypatch.setattr(changes, "check", lambda *_: [Finding("nothing is planned here")])
    base = repository.head
    repository.commit(TFVARS, "10.0.0.0", "10.1.0.0")
    event = {"merge_group": {"head_sha": repository.head, "base_sha": base}}
    text = summarize("plan", "dev", code=1, event=event, name=name)
    assert "Not planned: `the checks found problems`" in text
    assert "/ngp plan" not in text
    assert ("**2 units affected**" in text) is (name == "merge_group")
    assert "0 units" not in text


def test_the_summary_says_why_nothing_was_applied(repository, bundle, applied, summarize):
    digest = bundle()
    body = f"{Marker('dev', digest, 'f' * 40)}\nwhat was reviewed"
    repository.forge.comments = [{"id": 1, "body": body, "login": repository.forge.login}]
    repository.forge.statuses = [("f" * 40, "ngp/plan/dev", "success", f"+2 · into main · bundle {digest}")]
    repository.forge.pulls[12] = {"head": "f" * 40, "base": "e" * 40, "merged": repository.head}
    event = {"before": repository.head, "after": repository.head}
    text = summarize("apply", code=4, event=event, name="push")
    assert "#### dev: nothing was applied" in text
    assert "- `it moved`" in text


def test_every_report_of_a_plan_lists_what_to_check():
    line = "- `templates/root/main.tf.j2`: `a template changed`"
    assert line in markdown.render(FLAGGED)
    assert line in comment.render(FLAGGED, Marker("dev"))
    assert '<section id="flags"' in page.render(FLAGGED)
    assert "templates/root/main.tf.j2" in page.render(FLAGGED)
    [flag] = json.loads(document.render(FLAGGED))["flags"]
    assert (flag["what"], flag["file"]) == ("a template changed", "templates/root/main.tf.j2")
    [case] = ElementTree.fromstring(junit.render(FLAGGED)).iter("testcase")
    assert (case.get("name"), case.get("classname")) == ("check templates/root/main.tf.j2", "ngp.dev.files")
    assert case.find("skipped").attrib == {"message": "a template changed", "type": "check"}
    assert case.find("skipped").text == "it is code"
    assert 'skipped="1"' in junit.render(FLAGGED)
    assert "Check these files" not in markdown.render(Report(Verb.PLAN, "dev"))


def test_many_flags_leave_room_for_the_rest_of_the_comment():
    many = Report(Verb.PLAN, "dev", flags=tuple(Finding("w" * 300, f"{'p' * 290}{at}.tf") for at in range(999)))
    body = comment.render(many, Marker("dev"))
    assert len(body.encode()) < comment.LIMIT
    assert "… and 9" in body


def test_what_does_not_fit_into_a_summary_is_counted():
    assert list(comment.fitting(["a" * 10, "b" * 10], 30)) == ["a" * 10, "b" * 10]
    assert list(comment.fitting(["a" * 10, "b" * 10, "c"], 15)) == ["a" * 10, "… 2 more environments do not fit here\n"]
