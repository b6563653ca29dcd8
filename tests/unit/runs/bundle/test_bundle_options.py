"""The options by which a bundle is applied: those of its plan, and the authority of its approvals."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.environments.environment import Platform
from ngp.runs import protection
from ngp.runs.bundle import applying, approvals, opening, rules
from ngp.runs.outcomes import Outcome
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
