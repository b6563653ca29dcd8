"""The reports of a run: what a verdict and a full disk do to its exit code, and which errors are reported."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.errors import LockHeldError, MissingError, NgpError, RefusedError, UsageError
from ngp.policies import checking
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.reports import files
from ngp.reports.recording import ReportRequest, WrittenReports
from ngp.reports.report import BundleFact
from ngp.runs.results import Verb
from tests import sample_runs

DENIAL = Violation("public-bucket", Severity.DENY, "it is public")


@pytest.fixture
def request_of(tmp_path):
    return ReportRequest((tmp_path / "run.json",))


@pytest.mark.parametrize(("before", "after"), [(0, 3), (2, 3), (1, 1), (130, 130)])
def test_a_denial_decides_the_exit_code_unless_something_is_worse(before, after):
    assert Verdict(("public-bucket",), (DENIAL,)).exit_code(before) == after
    warning = Violation("public-bucket", Severity.WARN, "it is public")
    assert Verdict(("public-bucket",), (warning,)).exit_code(before) == before


@pytest.mark.parametrize(("before", "after"), [(0, 1), (2, 2), (5, 5)])
def test_a_report_that_cannot_be_written_fails_a_run_that_went_well(request_of, monkeypatch, before, after):
    def fail(*_):
        raise NgpError("cannot write the report")

    monkeypatch.setattr(files, "write", fail)
    written = request_of.write(sample_runs.run(), before)
    assert (written.paths, str(written.error), written.exit_code(before)) == ((), "cannot write the report", after)
    assert WrittenReports(request_of.paths).exit_code(before) == before


@pytest.mark.parametrize("error", [RefusedError("no"), LockHeldError("no"), NgpError("no")])
def test_an_error_that_ends_a_run_is_reported(request_of, error):
    [path] = request_of.write_failure(Verb.APPLY, "dev", error).paths
    assert json.loads(path.read_text())["exit_code"] == error.exit_code


def test_every_report_has_its_places_located(request_of):
    """Also that of a run that an error ended."""
    request_of.locate = lambda made: replace(made, project="located")
    for written in (
        request_of.write(sample_runs.run(), 0),
        request_of.write_failure(Verb.APPLY, "dev", NgpError("no")),
    ):
        [path] = written.paths
        assert json.loads(path.read_text())["project"] == "located"


@pytest.mark.parametrize("error", [UsageError("no"), MissingError("no")])
def test_what_ends_a_run_before_it_begins_is_not_reported(request_of, error):
    assert request_of.write_failure(Verb.APPLY, "dev", error) == WrittenReports()
    assert not request_of.paths[0].exists()


def test_policies_judge_only_plans_with_a_report(request_of, mocker):
    prepare = mocker.patch.object(checking, "prepare")
    mocker.patch.object(checking, "prepare_at", side_effect=lambda _, commit: f"of {commit}")
    check = mocker.patch.object(checking, "check", return_value=Verdict((), (DENIAL,)))
    without = ReportRequest()
    without.prepare("resolved")
    assert (without.judge(sample_runs.run()), without.policy, prepare.call_count) == (Verdict(()), None, 0)
    request_of.prepare("resolved", "abc")
    assert request_of.judge(sample_runs.run()).denials == (DENIAL,)
    assert request_of.policy == check.return_value
    assert check.call_args.args[2] == "of abc"


def test_without_files_nothing_is_noted_or_written():
    nothing = ReportRequest()
    nothing.observe(None)
    nothing.note(None)
    nothing.name_bundle(None, "", None)
    assert (nothing.facts, nothing.bundle) == (None, None)
    assert nothing.write(sample_runs.run(), 0) == nothing.write_bundle(None, None, None) == WrittenReports()


def test_a_bundle_has_the_name_that_readers_find_it_by(request_of):
    expires = SimpleNamespace(isoformat=lambda: "2026-11-22T12:00:00+00:00")
    request_of.name_bundle("/a/b/dev.bundle", "0123", SimpleNamespace(expires=expires))
    request_of.show_bundle_as("dev.bundle")
    assert request_of.make(sample_runs.run(), 0).bundle == BundleFact("dev.bundle", "0123", expires.isoformat())
    request_of.show_bundle_as("")
    assert request_of.make(sample_runs.run(), 0).bundle is None
