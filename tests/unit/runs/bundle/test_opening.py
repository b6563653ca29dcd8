"""A bundle is opened only where its statement, its plans and its members say the same."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ngp.errors import NgpError, StaleError, UsageError
from ngp.runs.bundle import archive, facts, making, opening, reviews, statement
from ngp.runs.bundle.archive import Content
from ngp.runs.bundle.reviews import ReviewedUnit
from ngp.runs.bundle.statement import BinaryFact, SecretFact, StateFact, UnitFact
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.terraform.plans import Action, Change, Plan
from tests import statements

CREATE = Change("module.app.t.x", "t", Action.CREATE)
UPDATE = Change("module.app.t.y", "t", Action.UPDATE)
FACT = UnitFact(
    "web", "", "", "", "", "", StateFact("place"), changes={"create": (CREATE.address,), "update": (UPDATE.address,)}
)


def reviewed(name="app", module="web", changes=(CREATE, UPDATE), wave=1):
    return ReviewedUnit(UnitResult(name, module, wave, Outcome.PLANNED, changes=changes), Plan(changes, {}))


@pytest.fixture
def pack(tmp_path):
    """`pack(units, facts)` writes a bundle whose members are as it states, and gives its path."""

    def write(units, stated, review=None, members=None):
        content = {making.REVIEW: Content(reviews.dump(units) if review is None else review)}
        path = tmp_path / "dev.bundle"
        known = {name: one.member(name) for name, one in (members or content).items()}
        archive.write(path, statement.dump(statements.make("dev", units=stated, members=known)), content)
        return path

    return write


def test_a_bundle_that_agrees_with_itself_is_opened(pack):
    found = opening.read(pack({"app": reviewed()}, {"app": FACT}))
    assert found.units["app"].result.changes == (CREATE, UPDATE)
    assert found.digest == found.archive.digest


@pytest.mark.parametrize(
    ("units", "stated", "named"),
    [
        ({"app": reviewed(changes=(CREATE,))}, {"app": FACT}, "app"),
        ({"app": reviewed(changes=(CREATE, replace(UPDATE, action=Action.DELETE)))}, {"app": FACT}, "app"),
        ({"app": reviewed(module="other")}, {"app": FACT}, "app"),
        ({"app": reviewed(), "more": reviewed("more")}, {"app": FACT}, "more"),
        ({}, {"app": FACT}, "app"),
    ],
)
def test_nobody_signs_what_is_not_applied(pack, units, stated, named):
    with pytest.raises(StaleError, match=f"the statement of the bundle differs from its plans: {named};"):
        opening.read(pack(units, stated))


@pytest.mark.parametrize("review", [b"{}", b"[", b'{"format": 2, "units": {}}', b'{"format": 1, "units": {"app": {}}}'])
def test_plans_that_cannot_be_read_are_damage(pack, review):
    with pytest.raises(StaleError, match="the bundle is damaged"):
        opening.read(pack({}, {"app": FACT}, review=review))


def test_a_member_that_the_statement_does_not_name_is_damage(pack):
    with pytest.raises(StaleError, match=r"not as the statement says: review\.json"):
        opening.read(pack({"app": reviewed()}, {"app": FACT}, members={making.REVIEW: Content(b"another")}))
    members = {making.REVIEW: Content(reviews.dump({"app": reviewed()})), making.PLAN: Content(b"gone")}
    with pytest.raises(StaleError, match=r"not as the statement says: plan\.bin"):
        opening.read(pack({"app": reviewed()}, {"app": FACT}, members=members))


def test_its_results_come_by_wave_and_name(pack):
    units = {"b": reviewed("b"), "c": reviewed("c", wave=2), "a": reviewed("a")}
    found = opening.read(pack({"c": units["c"], "b": units["b"], "a": units["a"]}, dict.fromkeys("abc", FACT)))
    assert [one.unit for one in opening.results(found)] == ["a", "b", "c"]


@pytest.mark.parametrize("field", ["platform", "environment", "verb"])
def test_only_bundles_of_the_same_thing_are_compared(field):
    one = statements.make("dev")
    other = replace(one, **{field: "destroy" if field == "verb" else "other"})
    opening.require_comparable(*(SimpleNamespace(statement=each) for each in (one, one)))
    with pytest.raises(UsageError, match=f"their {field} differs"):
        opening.require_comparable(*(SimpleNamespace(statement=each) for each in (one, other)))


def test_a_bundle_for_an_environment_that_is_not_here_is_stale(platform):
    def known(name):
        return opening.require_known(SimpleNamespace(statement=statements.make(name)), platform)

    assert known("dev") == "dev"
    with pytest.raises(StaleError, match="for the environment `stage`, which does not exist here"):
        known("stage")


def test_the_plan_file_must_be_the_reviewed_plan():
    assert opening._is_reviewed(reviewed(), Plan((CREATE, UPDATE), {}))
    assert not opening._is_reviewed(reviewed(), Plan((CREATE,), {}))
    assert not opening._is_reviewed(replace(reviewed(), plan=None), Plan((), {}))


class TestChangesDuringThePlan:
    """A bundle is made only of what was there before and after its plan."""

    BEFORE = facts.Snapshot(
        {"app": facts.Sources("r", "m", "v", "w", {})},
        {"app": StateFact("place", "line", 3, "v3"), "base": StateFact("other", "line", 1, "v1")},
        "lock",
        BinaryFact("terraform", "1.14.0", "digest"),
        {"app": {"password": SecretFact("ssm:/p", "1")}},
    )
    JOINT = SimpleNamespace(stored={"app": SimpleNamespace(version="v3")}, outside={"base": "v1"})

    def moved(self, now=BEFORE, joint=JOINT):
        with pytest.raises(StaleError) as caught:
            making._require_same(self.BEFORE, now, joint)
        return caught.value.findings[0].what.removeprefix("this changed during the plan: ")

    def test_what_stayed_is_accepted(self):
        making._require_same(self.BEFORE, self.BEFORE, self.JOINT)
        making._require_same(self.BEFORE, self.BEFORE, None)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"sources": {"app": facts.Sources("r", "m", "other", "w", {})}}, "app"),
            ({"sources": {}}, "app"),
            ({"states": {**BEFORE.states, "app": StateFact("place", "line", 4, "v4")}}, "the state of app"),
            ({"states": {**BEFORE.states, "base": NgpError("gone")}}, "the state of base"),
            ({"lock": "other"}, ".terraform.lock.hcl"),
            ({"binary": BinaryFact("terraform", "1.14.0", "other")}, "the Terraform binary"),
            ({"secrets": {"app": {"password": SecretFact("ssm:/p", "2")}}}, "a secret of app"),
        ],
    )
    def test_each_change_is_named(self, changes, says):
        assert self.moved(now=replace(self.BEFORE, **changes)) == says

    def test_the_plan_was_made_over_the_states_of_the_snapshot(self):
        """A state can change and change back between the two looks."""
        stored = {"app": SimpleNamespace(version="v4")}
        assert self.moved(joint=SimpleNamespace(stored=stored, outside={"base": "v1"})) == "the state of app"
        outside = {"base": "v2"}
        assert self.moved(joint=SimpleNamespace(stored={}, outside=outside)) == "the state of base"

    def test_a_state_that_cannot_be_read_before_and_after_did_not_change(self):
        before = replace(self.BEFORE, states={**self.BEFORE.states, "base": NgpError("one")})
        making._require_same(before, replace(before, states={**before.states, "base": NgpError("two")}), None)
        with pytest.raises(StaleError):
            making._require_same(before, self.BEFORE, None)
