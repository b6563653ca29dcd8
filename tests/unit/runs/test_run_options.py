"""From typed options to what a run is asked for."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.environments import platforms, resolving
from ngp.errors import UsageError
from ngp.runs import emergency, run_options
from ngp.runs.results import Verb
from ngp.runs.run_options import RunOptions


@pytest.fixture
def resolved(platform):
    return resolving.resolve(platforms.load(platform), "dev")


def test_targets_name_the_units_where_no_word_does(resolved):
    asked = run_options.request(Verb.PLAN, resolved, (), RunOptions(targets=["app:terraform_data.x"]))
    assert (asked.units, len(asked.options.targets)) == (("app",), 1)
    asked = run_options.request(Verb.PLAN, resolved, ["base", "app"], RunOptions(targets=["app:terraform_data.x"]))
    assert asked.units == ("base", "app")
    assert run_options.request(Verb.PLAN, resolved, None, RunOptions()).units == ()


def test_options_for_terraform_are_passed_on(resolved):
    given = RunOptions(lock_timeout="30s", refresh=False, parallelism=3, is_apart=True, may_lose_data=["db"])
    asked = run_options.request(Verb.APPLY, resolved, (), given, ("-compact-warnings",))
    assert (asked.options.refresh, asked.options.lock_timeout) == (False, "30s")
    assert asked.options.extra == ("-compact-warnings",)
    assert (asked.parallelism, asked.is_apart, asked.may_lose_data) == (3, True, ("db",))
    with pytest.raises(UsageError):
        run_options.request(Verb.APPLY, resolved, ["nothing"], given)


def test_an_emergency_is_declared_only_where_something_may_change(resolved, mocker):
    declare = mocker.patch.object(emergency, "declare", return_value="an authority")
    given = RunOptions(emergency="the disk is full")
    asked = run_options.request(Verb.APPLY, resolved, (), given)
    assert run_options.declare(asked, resolved, given, None) == "an authority"
    assert run_options.declare(asked, resolved, replace(given, is_dry_run=True), None) is None
    assert run_options.declare(asked, resolved, RunOptions(), None) is None
    approved = replace(asked, authority=SimpleNamespace())
    assert run_options.declare(approved, resolved, given, None) is approved.authority
    assert declare.call_count == 1


@pytest.mark.parametrize(("has_bundle", "dry_run"), [(True, False), (False, True), (True, True)])
def test_a_destroy_that_only_plans_takes_no_emergency(has_bundle, dry_run):
    assert run_options.is_plan_only("", has_bundle=has_bundle, dry_run=dry_run)
    with pytest.raises(UsageError, match="changes nothing"):
        run_options.is_plan_only("the disk is full", has_bundle=has_bundle, dry_run=dry_run)
    assert not run_options.is_plan_only("the disk is full", has_bundle=False, dry_run=False)
