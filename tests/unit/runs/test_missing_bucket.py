"""A missing state bucket is told by a plan and made by an apply; whoever needs none is not held up."""

import threading
from types import SimpleNamespace

import pytest

from ngp.environments.environment import StateKind, Target
from ngp.errors import MissingError
from ngp.runs import applying, planning
from ngp.runs.events import Note
from ngp.runs.results import Verb
from ngp.state import bucket
from ngp.state.locations import StateLocation
from ngp.terraform.commands import PlanOptions

PLAN = bucket.BucketPlan("b", "eu-central-1", exists=False, lacks=("encryption",))


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setattr(bucket, "exists", lambda session, place: False)
    monkeypatch.setattr(bucket, "plan", lambda session, place: PLAN)
    told = []
    return SimpleNamespace(
        name="dev",
        run_id="r",
        resolved=SimpleNamespace(
            platform=SimpleNamespace(state=StateKind.S3), environment=SimpleNamespace(target=Target.SANDBOX)
        ),
        orphans=tuple,
        units={"a": SimpleNamespace(place=StateLocation("s3", "b", "k", "eu-central-1"))},
        needs={},
        waves={},
        request=SimpleNamespace(
            units=(), parallelism=1, options=PlanOptions(), is_apart=True, verb=Verb.PLAN, authority=None
        ),
        access=SimpleNamespace(session=None),
        caller=SimpleNamespace(stopped_by=lambda: 0),
        stop=threading.Event(),
        tree=SimpleNamespace(remove=lambda: None),
        told=told,
        emit=told.append,
    )


def test_a_plan_says_that_the_states_count_as_empty(context):
    assert planning.plan(context).verb is Verb.PLAN
    assert context.told == [Note("the state bucket does not exist yet, so every state counts as empty")]


def test_a_bucket_that_is_there_is_not_spoken_of(context, monkeypatch):
    monkeypatch.setattr(bucket, "exists", lambda session, place: True)
    planning.plan(context)
    assert context.told == []


def test_whoever_may_not_make_it_is_refused_with_what_to_type(context):
    assert applying._missing_bucket(context, may_bootstrap=True) == PLAN
    with pytest.raises(MissingError) as caught:
        applying._missing_bucket(context, may_bootstrap=False)
    assert caught.value.findings[0].todo == "ngp state bootstrap dev"


def test_an_environment_without_units_needs_no_bucket(context):
    context.units = {}
    assert planning.missing_bucket(context) is None


def test_a_local_state_needs_no_bucket(context):
    context.resolved.platform.state = StateKind.LOCAL
    assert planning.missing_bucket(context) is None
