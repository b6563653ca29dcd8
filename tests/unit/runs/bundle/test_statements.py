"""The statement of a bundle: what is read back, and what another program may not say in it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from ngp.errors import StaleError
from ngp.runs.bundle import reviews, statement
from ngp.runs.bundle.archive import Content
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.statement import CommitFact, SecretFact, StateFact, UnitFact
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult, UnknownInput
from ngp.terraform.plans import Action, Change, Invocation, OutputChange, Plan
from tests import statements


@pytest.fixture
def stated():
    unit = UnitFact(
        "web",
        "",
        "r",
        "m",
        "v",
        "w",
        StateFact("place", "line", 3, "v3"),
        {"p": SecretFact("env:P")},
        {"create": ("a", "b")},
    )
    return statements.make(
        "dev",
        units={"app": unit},
        outside={"base": StateFact("other")},
        files={"main.tf": "digest"},
        commit=CommitFact("1" * 40, is_dirty=True, authors=("a@example.com",), unknown="why"),
        chosen=("app",),
        options=("-refresh=false",),
        may_lose_data=("app",),
        members={"plan.bin": Content(b"plan").member("plan.bin")},
        maker_key="SHA256:x",
    )


def edited(stated, change):
    document = json.loads(statement.dump(stated))
    change(document)
    return json.dumps(document).encode()


def test_it_comes_back_as_it_was_stated(stated):
    again = statement.load(statement.dump(stated), "x")
    assert statement.dump(again) == statement.dump(stated)
    assert (again.units, again.outside, again.files) == (stated.units, stated.outside, stated.files)
    assert (again.created, again.expires, again.commit) == (stated.created, stated.expires, stated.commit)
    assert (again.members["plan.bin"].digest, again.members["plan.bin"].mode) == (
        stated.members["plan.bin"].digest,
        0o600,
    )


def test_a_link_comes_back_as_one(stated, tmp_path):
    (tmp_path / "link").symlink_to("target")
    members = {"tree/link": Content(path=tmp_path / "link").member("tree/link")}
    again = statement.load(statement.dump(replace(stated, members=members)), "x").members["tree/link"]
    assert (bool(again.link), again.digest) == (True, members["tree/link"].digest)
    assert not statement.load(statement.dump(stated), "x").members["plan.bin"].link


@pytest.mark.parametrize("name", ["_type", "predicateType"])
def test_another_kind_of_statement_is_not_read(stated, name):
    with pytest.raises(StaleError, match="this ngp reads bundles of the type"):
        statement.load(edited(stated, lambda document: document.update({name: "urn:other"})), "x")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("subject"),
        lambda document: document["predicate"].update(verb="import"),
        lambda document: document["predicate"].update(units=[]),
        lambda document: document["predicate"].pop("account"),
        lambda document: document["predicate"].update(expires=document["predicate"]["created"]),
    ],
)
def test_what_ngp_does_not_write_is_refused(stated, change):
    with pytest.raises(StaleError, match="cannot read the statement"):
        statement.load(edited(stated, change), "x")


@pytest.mark.parametrize(("more", "is_read"), [(timedelta(0), True), (timedelta(seconds=1), False)])
def test_no_bundle_is_valid_for_more_than_30_days(stated, more, is_read):
    last = (stated.created + timedelta(days=30) + more).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = edited(stated, lambda document: document["predicate"].update(expires=last))
    if is_read:
        assert statement.load(text, "x").expires - stated.created == timedelta(days=30)
    else:
        with pytest.raises(StaleError, match="30 days at most"):
            statement.load(text, "x")


class TestReviews:
    """The plans in a bundle come back as people saw them."""

    PLAN = Plan(
        (
            Change(
                "module.app.t.x",
                "t",
                Action.REPLACE,
                {"a": [1]},
                {"a": [2]},
                {"b": True},
                (("a", 0),),
                actions=("delete", "create"),
            ),
        ),
        {"o": OutputChange("o", Action.CREATE, None, 12345678901234567890, False)},
        (Change("module.app.t.d", "t", Action.UPDATE, {"a": 1}, {"a": 2}),),
        "1.14.0",
        invocations=(Invocation("action.x", "t", {"a": 1}, False),),
    )

    def test_a_plan(self):
        unit = UnitResult(
            "app",
            "web",
            2,
            Outcome.PLANNED,
            reason="why",
            is_preview=True,
            unknowns=(UnknownInput("id", "base.id", 1),),
        )
        found = reviews.load(reviews.dump({"app": ReviewedUnit(unit, self.PLAN)}))["app"]
        assert reviews.is_same(found.plan, self.PLAN)
        assert found.plan == self.PLAN
        result = found.result
        assert (result.unit, result.module, result.wave, result.outcome) == ("app", "web", 2, Outcome.PLANNED)
        assert (result.reason, result.is_preview, result.unknowns) == ("why", True, unit.unknowns)
        assert result.changes == self.PLAN.changes

    def test_a_unit_that_could_not_be_planned(self):
        unit = UnitResult("app", "web", 2, Outcome.DEFERRED, reason="why")
        found = reviews.load(reviews.dump({"app": ReviewedUnit(unit, None)}))["app"]
        assert (found.plan, found.result.outcome, found.result.changes) == (None, Outcome.DEFERRED, ())

    def test_plans_are_the_same_only_where_all_that_is_shown_is(self):
        assert reviews.is_same(self.PLAN, self.PLAN)
        for name in ("changes", "drift", "invocations"):
            assert not reviews.is_same(self.PLAN, Plan(**{**vars(self.PLAN), name: ()}))
        assert not reviews.is_same(self.PLAN, Plan(**{**vars(self.PLAN), "outputs": {}}))
