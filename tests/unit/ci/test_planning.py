"""Which environments and units of a change are planned, and what becomes of the bundle."""

from types import SimpleNamespace

import pytest

from ngp.ci import changes, planning
from ngp.ci.events import CISystem, Event, EventKind
from ngp.ci.tiers import Tier
from ngp.errors import Finding, RefusedError, StaleError
from ngp.policies.verdict import Severity, Verdict, Violation
from ngp.reports.recording import ReportRequest
from ngp.reports.report import BundleFact
from ngp.runs.results import Outcome, RunResult, UnitResult, UnknownInput, Verb


class FakePipeline:
    """A pipeline that notes what it says, and which bundles it deletes."""

    def __init__(self, event=None):
        self.event, self.said, self.dropped = event, [], []
        self.say, self.drop_bundle = self.said.append, self.dropped.append

    def bundle(self, name):
        return SimpleNamespace(name=f"{name}.bundle")


@pytest.fixture
def pipeline():
    return FakePipeline()


def planned(*units, stopped_by=0, outcome=Outcome.PLANNED):
    """The result of a plan of units, each with the unit that its input comes from ("" for none)."""
    results = [
        UnitResult(name, name, 1, outcome, unknowns=(UnknownInput("id", f"{origin}.id", 1),) if origin else ())
        for name, origin in units
    ]
    return RunResult("run", Verb.PLAN, "dev", tuple(results), stopped_by=stopped_by)


def plan_all(pipeline, chosen, results):
    """The units of each plan, and the last result."""
    asked, left = [], iter(results)

    def plan(units):
        asked.append(list(units))
        return next(left)

    return asked, planning.plan_with_feeders(pipeline, chosen, plan)


def test_units_that_were_never_applied_are_planned_too(pipeline):
    last = planned(("app", "db"), ("db", "network"), ("network", ""))
    results = [planned(("app", "db")), planned(("app", "db"), ("db", "network")), last]
    asked, result = plan_all(pipeline, ["app"], results)
    assert asked == [["app"], ["app", "db"], ["app", "db", "network"]]
    assert result is last
    assert [text.partition(":")[0] for text in pipeline.said] == [
        "planning again with db",
        "planning again with network",
    ]


@pytest.mark.parametrize(
    ("chosen", "result"),
    [
        ([], planned(("app", "db"))),  # everything is planned already
        (["app"], planned(("app", "db"), stopped_by=2)),
        (["app"], planned(("app", ""))),
    ],
)
def test_otherwise_one_plan_is_enough(pipeline, chosen, result):
    asked, found = plan_all(pipeline, chosen, [result])
    assert (len(asked), found, pipeline.said) == (1, result, [])


@pytest.mark.parametrize(
    ("violations", "outcome", "code"),
    [
        ((), Outcome.PLANNED, 0),
        ((Violation("rule", Severity.WARN, "no"),), Outcome.PLANNED, 0),
        ((Violation("rule", Severity.DENY, "no"),), Outcome.PLANNED, 3),
        ((), Outcome.FAILED, 1),
    ],
)
def test_a_plan_that_failed_or_was_denied_leaves_no_bundle(pipeline, violations, outcome, code):
    reports = ReportRequest()
    reports.judge_with = lambda result: Verdict(("rule",), violations)
    reports.bundle = BundleFact("/a/dev.bundle", "0123", "")
    made = planning.finish(pipeline, reports, planned(("app", ""), outcome=outcome))
    assert made.exit_code == code
    assert pipeline.dropped == (["dev"] if code else [])
    assert made.bundle == (None if code else BundleFact("dev.bundle", "0123", ""))


def raise_stale():
    raise StaleError("it moved")


@pytest.mark.parametrize(
    ("found", "tier", "plan", "expected"),
    [
        ([Finding("stale")], Tier.MEMBER, raise_stale, (1, (Finding("stale"),), None, "the checks found problems")),
        ([], Tier.STRANGER, raise_stale, (0, (), None, "")),
        ([], Tier.MEMBER, raise_stale, (4, (Finding("it moved"),), None, "the plan failed")),
        ([], Tier.MEMBER, lambda: SimpleNamespace(exit_code=2), (2, (), SimpleNamespace(exit_code=2), "")),
    ],
)
def test_only_a_checked_change_of_a_member_is_planned(pipeline, mocker, found, tier, plan, expected):
    mocker.patch.object(changes, "check", return_value=found)
    resolved = SimpleNamespace(environment=SimpleNamespace(name="dev"))
    done = planning.check_and_plan(pipeline, resolved, SimpleNamespace(tier=tier), plan)
    assert (done.environment, done.exit_code, done.findings, done.report, done.why) == ("dev", *expected)


def test_only_a_member_orders_a_plan_by_a_comment():
    def is_ignored(kind, tier, ordered=""):
        event = Event(CISystem.GITHUB, kind, ordered=ordered)
        return planning.is_ignored(FakePipeline(event), tier, "because")

    assert is_ignored(EventKind.COMMENT, Tier.STRANGER)
    assert not is_ignored(EventKind.COMMENT, Tier.MEMBER, "abc")
    assert not is_ignored(EventKind.PULL_REQUEST, Tier.STRANGER)
    with pytest.raises(RefusedError, match="does not start a plan"):
        is_ignored(EventKind.COMMENT, Tier.STRANGER, "abc")


@pytest.mark.parametrize(
    ("kind", "is_whole", "keeps"),
    [
        (EventKind.PULL_REQUEST, True, True),
        (EventKind.PULL_REQUEST, False, True),
        (EventKind.SCHEDULE, True, False),
        (EventKind.PUSH, True, False),
        (EventKind.PUSH, False, True),
    ],
)
def test_a_plan_of_everything_that_nobody_reviews_makes_no_bundles(kind, is_whole, keeps):
    assert Event(CISystem.GITHUB, kind).keeps_bundles(is_whole=is_whole) is keeps
