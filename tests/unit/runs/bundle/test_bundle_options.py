"""The options by which a bundle is applied: those of its plan, and the authority of its approvals."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.environments.environment import Platform
from ngp.errors import StaleError, UsageError
from ngp.runs import protection
from ngp.runs.bundle import applying, approvals, comparing, opening, rules
from ngp.runs.outcomes import Outcome
from ngp.runs.request import RunRequest
from ngp.runs.results import RunResult, UnitResult, Verb
from ngp.runs.run_options import RunOptions


@pytest.fixture
def bundle(stated):
    stated = replace(stated, options=("-target=a.b", "-refresh=false", "-replace=c.d"), may_lose_data=("db",))
    return SimpleNamespace(statement=stated, archive="the archive")


@pytest.fixture
def protected(mocker):
    mocker.patch("ngp.environments.documents.load")
    mocker.patch.object(rules, "read", return_value="the rules")
    mocker.patch.object(approvals, "require", return_value="an authority")
    return mocker.patch.object(protection, "is_protected", return_value=True)


def test_the_plan_of_a_bundle_keeps_its_options(bundle, protected, tmp_path):
    given = RunOptions(parallelism=3, may_lose_data=["cache"])
    found = applying.options(bundle, given, Platform(tmp_path, "demo"), None)
    assert (found.targets, found.replacements, found.refresh) == (["a.b"], ["c.d"], False)
    assert (found.may_lose_data, found.parallelism) == (["cache", "db"], 3)
    assert (found.authority, found.is_cleared) == ("an authority", False)


def test_only_a_protected_environment_needs_approvals(bundle, protected, tmp_path):
    protected.return_value = False
    found = applying.options(bundle, RunOptions(), Platform(tmp_path, "demo"), None)
    assert (found.authority, found.is_cleared) == (None, True)
    assert approvals.require.call_count == 0


@pytest.mark.parametrize(("outcome", "noted"), [(Outcome.APPLIED, 1), (Outcome.FAILED, 0)])
def test_a_bundle_is_complete_when_all_of_it_was_applied(mocker, outcome, noted):
    complete = mocker.patch.object(opening, "complete")
    result = RunResult("run", Verb.APPLY, "dev", (UnitResult("app", "app", 1, outcome),))
    applying.complete("bundle", "run", result)
    assert complete.call_count == noted


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        (RunOptions(targets=["a.b"]), "`-target`"),
        (RunOptions(replacements=["a.b"]), "`-replace`"),
        (RunOptions(is_apart=True), "`--apart`"),
        (RunOptions(refresh=False), "`-refresh=false`"),
        (RunOptions(emergency="the disk is full"), "not an emergency"),
    ],
)
def test_a_bundle_takes_no_option_that_changes_its_plan(given, flag):
    with pytest.raises(UsageError, match=flag):
        applying.require_plain(given)
    applying.require_plain(replace(RunOptions(), parallelism=3, may_lose_data=["db"], accepts_legacy=True))


def test_a_new_plan_that_differs_needs_a_person_or_a_review(mocker):
    mocker.patch.object(opening, "results")
    compare = mocker.patch.object(comparing, "compare", return_value=["`app` would be deleted"])
    result = RunResult("run", Verb.APPLY, "dev", ())
    run = SimpleNamespace(name="dev", request=RunRequest(Verb.APPLY))
    assert applying.differences("bundle", run, result, can_ask=True) == ["`app` would be deleted"]
    with pytest.raises(StaleError, match="the new plan differs: `app` would be deleted"):
        applying.differences("bundle", run, result, can_ask=False)
    approved = SimpleNamespace(name="dev", request=RunRequest(Verb.APPLY, authority="approvals"))
    with pytest.raises(StaleError, match="nobody has reviewed it"):
        applying.differences("bundle", approved, result, can_ask=True)
    compare.return_value = []
    assert applying.differences("bundle", approved, result, can_ask=False) == []
