"""Bundles are applied one after the other, until one fails."""

from types import SimpleNamespace

from ngp.ci import applying
from ngp.ci.results import ApplyResult
from ngp.errors import StaleError
from ngp.reports.recording import ReportRequest
from ngp.reports.report import BundleFact
from ngp.runs.results import Outcome, RunResult, UnitResult, Verb

BUNDLE = SimpleNamespace(digest="0123", archive=SimpleNamespace(path=SimpleNamespace(name="dev.bundle")))


def test_nothing_is_applied_after_a_failure():
    codes = {"dev": 0, "stage": 4, "prod": 0}
    found = dict.fromkeys(codes, BUNDLE)
    done = list(applying.apply_each(found, lambda name, _: ApplyResult(name, codes[name], "dev.bundle")))
    assert [(one.environment, one.digest) for one in done] == [("dev", "0123"), ("stage", "0123")]


def test_an_error_is_the_result_of_its_bundle():
    def fail():
        raise StaleError("it moved")

    done = applying.apply_one(None, "dev", BUNDLE, fail)
    assert (done.exit_code, done.bundle, done.findings[0].what, done.report) == (4, "dev.bundle", "it moved", None)


def test_the_report_of_an_apply_names_its_bundle_and_has_the_code_of_the_run():
    reports = ReportRequest()
    reports.bundle = BundleFact("/a/dev.bundle", "0123", "")
    failed = RunResult("run", Verb.APPLY, "dev", (UnitResult("app", "app", 1, Outcome.LOCKED),))
    made = applying.report(reports, failed, "dev.bundle")
    assert (made.exit_code, made.bundle.file) == (5, "dev.bundle")
    assert applying.apply_one(None, "dev", BUNDLE, lambda: made).report == made
