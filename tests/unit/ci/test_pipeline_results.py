"""What became of a pipeline's environments, as programs read it."""

from types import SimpleNamespace

import pytest

from ngp.ci import results
from ngp.ci.changes import CheckedChange
from ngp.ci.results import ApplyResult, PlanResult
from ngp.ci.tiers import Tier
from ngp.errors import Finding
from ngp.runs.bundle import verifying
from ngp.runs.bundle.uses import UsedError

BEFORE = Finding("it was applied before")


@pytest.fixture
def bundle():
    return SimpleNamespace(archive=SimpleNamespace(path=SimpleNamespace(name="dev.bundle")), statement=None)


@pytest.mark.parametrize(
    ("is_complete", "other", "code"),
    [(True, [], 0), (False, [], 4), (True, [Finding("main.tf differs")], 4)],
)
def test_a_used_bundle_is_a_success_if_all_of_it_was_applied_from_these_files(mocker, bundle, is_complete, other, code):
    mocker.patch("ngp.environments.resolving.resolve")
    mocker.patch.object(verifying, "find_other_files", return_value=other)
    error = UsedError("", is_complete=is_complete)
    found = results.of_used(SimpleNamespace(platform=None), "dev", bundle, error)
    assert (found.exit_code, found.earlier, found.bundle) == (code, error.findings[0], "dev.bundle")
    assert found.findings == ((*error.findings, *other) if code else ())


def test_an_earlier_apply_is_the_finding_of_an_apply_that_did_nothing():
    document = results.apply_document(7, [ApplyResult("dev", 0, "dev.bundle", earlier=BEFORE)], 0)
    assert document["environments"][0]["findings"] == (BEFORE,)
    assert (document["number"], document["exit_code"]) == (7, 0)


def test_an_environment_without_a_report_was_not_planned():
    event = SimpleNamespace(kind="push", number=0)
    change = CheckedChange(Tier.MEMBER, "", None)
    done = [PlanResult("dev", 1, (Finding("stale"),))]
    (row,) = results.plan_document(SimpleNamespace(event=event), change, done, 1)["environments"]
    assert (row["is_planned"], row["has_changes"], row["bundle"], row["exit_code"]) == (False, False, None, 1)
