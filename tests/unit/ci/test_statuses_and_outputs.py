import itertools
from dataclasses import replace

import pytest

from ngp.ci import evidence, outputs, statuses, workflow_commands
from ngp.ci.events import CISystem, Event, EventKind
from ngp.ci.evidence import Evidence, EvidenceGap
from ngp.ci.statuses import PlanKind
from ngp.errors import Finding
from ngp.forges.folder import Folder
from ngp.forges.forge import CommitState, CommitStatus
from ngp.reports.report import BundleFact, Report, UnitReport
from ngp.runs.outcomes import Outcome
from ngp.runs.results import Counts, Verb

HEAD = "a" * 40


def status(name, state):
    return CommitStatus(statuses.context("plan", name), state)


def test_the_status_over_all_is_that_of_the_worst():
    def state(*known, names=("dev", "prod")):
        return statuses.over_all("plan", known, names, "").state

    assert state(names=()) is CommitState.SUCCESS
    assert state() is CommitState.PENDING
    assert state(status("dev", CommitState.SUCCESS)) is CommitState.PENDING
    assert state(status("dev", CommitState.FAILURE)) is CommitState.FAILURE
    assert state(status("dev", CommitState.SUCCESS), status("prod", CommitState.SUCCESS)) is CommitState.SUCCESS
    assert state(status("dev", CommitState.SUCCESS), status("prod", CommitState.PENDING)) is CommitState.PENDING
    assert state(
        status("dev", CommitState.SUCCESS), status("prod", CommitState.SUCCESS), status("old", CommitState.FAILURE)
    ) is (CommitState.SUCCESS)
    assert state(status("dev", CommitState.SUCCESS), status("dev", CommitState.FAILURE), names=("dev",)) is (
        CommitState.SUCCESS  # the newest comes first
    )


@pytest.mark.parametrize(("state", "outside"), [("success", "failure"), ("failure", "success"), ("success", "pending")])
def test_a_plan_that_is_not_for_a_merge_changes_no_status_over_all(state, outside):
    night = statuses.of_kind(status("dev", CommitState(outside)), PlanKind.OUTSIDE)
    known = [night, status("dev", CommitState(state))]
    assert statuses.over_all("plan", known, ("dev",), "").state is CommitState(state)
    assert statuses.over_all("plan", [night], ("dev",), "").state is CommitState.PENDING


def test_the_last_job_finishes_the_status_over_all(tmp_path):
    folder = Folder(tmp_path)
    folder.set_status(HEAD, status("dev", CommitState.SUCCESS))
    assert statuses.finish(folder, HEAD, "plan", ("dev", "prod"), "").state is CommitState.PENDING
    folder.set_status(HEAD, status("prod", CommitState.SUCCESS))
    assert statuses.finish(folder, HEAD, "plan", ("dev", "prod"), "").state is CommitState.SUCCESS
    assert {one.context: one.state for one in folder.statuses(HEAD)}["ngp/plan"] is CommitState.SUCCESS


def test_what_has_no_plan_is_not_ready_to_be_merged():
    for may_order, text in ((True, "checked; waiting for a member to order a plan"), (False, "checked, not planned")):
        made = statuses.of_checks("plan", "dev", 0, "", may_order=may_order)
        assert (made.state, made.description) == (CommitState.PENDING, text)
        assert statuses.of_checks("plan", "dev", 1, "", may_order=may_order).state is CommitState.FAILURE
    assert statuses.of_refusal("apply", "dev", 4, "").state is CommitState.FAILURE


def test_a_status_is_named_within_the_limit():
    assert statuses.context("plan") == "ngp/plan"
    assert len(statuses.context("plan", "e" * 400)) == 255


DIGEST = "c" * 64


def plan_status(kind=PlanKind.PULL_REQUEST, digest=DIGEST, **more):
    made = statuses.of_report("plan", Report(Verb.PLAN, "dev", counts=Counts(create=2)), "")
    return replace(statuses.of_kind(made, kind, digest, "main"), **{"is_own": True, **more})


def test_the_status_of_a_plan_names_its_bundle_by_the_kind_of_the_plan():
    queue, outside = plan_status(PlanKind.QUEUE, "d" * 64), plan_status(PlanKind.OUTSIDE)
    assert evidence.read([plan_status(), queue], "dev", "main") == Evidence((DIGEST,), ("d" * 64,), EvidenceGap.OLDER)
    assert DIGEST not in outside.description
    assert statuses.bundle(outside) == (PlanKind.OUTSIDE, "")
    forged = replace(outside, description=f"{outside.description} · bundle {DIGEST}")
    assert statuses.bundle(forged) == (PlanKind.OUTSIDE, "")
    assert evidence.read([queue], "prod") == Evidence()
    assert evidence.read([plan_status(description=f"bundle {DIGEST} and more")], "dev", "main").pull_request == ()


def test_only_a_plan_for_a_merge_names_a_bundle():
    kinds = {kind: statuses.kind(Event(CISystem.GITHUB, kind)) for kind in EventKind}
    for kind in (EventKind.PULL_REQUEST, EventKind.COMMENT):
        assert kinds.pop(kind) is PlanKind.PULL_REQUEST
    assert kinds.pop(EventKind.MERGE_QUEUE) is PlanKind.QUEUE
    assert set(kinds.values()) == {PlanKind.OUTSIDE}


def test_on_a_system_that_ngp_does_not_know_a_status_says_nothing_about_the_merge():
    kind = statuses.kind(Event(CISystem.NONE, EventKind.OTHER))
    made = plan_status(kind)
    assert (
        made.description
        == statuses.of_report("plan", Report(Verb.PLAN, "dev", counts=Counts(create=2)), "").description
    )
    assert statuses.bundle(made) == (PlanKind.OUTSIDE, "")


@pytest.mark.parametrize("branch", ["main", "release/1.2", "f" * 200, "größe", "a·b", "x into main"])
def test_a_status_names_the_branch_that_a_pull_request_goes_into(branch):
    made = statuses.of_kind(status("dev", CommitState.SUCCESS), PlanKind.PULL_REQUEST, DIGEST, branch)
    failed = statuses.of_kind(status("dev", CommitState.FAILURE), PlanKind.PULL_REQUEST, "", branch)
    for one in (made, failed):
        assert statuses.planned_target(one) == statuses.target(branch)
    assert statuses.planned_target(plan_status(PlanKind.QUEUE)) == ""
    own = replace(made, is_own=True)
    assert evidence.read([own], "dev", branch).pull_request == (DIGEST,)
    for other in ("other", ""):
        assert evidence.read([own], "dev", other).pull_request == ()
    assert evidence.read([own], "dev", "other").gap is EvidenceGap.ELSEWHERE
    older = replace(own, description=f"+2 · bundle {DIGEST}")
    assert evidence.read([older], "dev", branch) == Evidence(gap=EvidenceGap.OLDER)


def test_a_failed_plan_for_a_merge_voids_the_ones_before_it():
    own, failed = plan_status(), plan_status(digest="", state=CommitState.FAILURE)
    older, pending = plan_status(digest="d" * 64), plan_status(digest="", state=CommitState.PENDING)
    assert evidence.read([own, pending, older], "dev", "main").pull_request == (DIGEST, "d" * 64)
    assert evidence.read([failed, own], "dev", "main").pull_request == ()
    assert evidence.read([own, failed, older], "dev", "main").pull_request == (DIGEST,)
    assert evidence.read([replace(failed, is_own=False), own], "dev", "main").pull_request == (DIGEST,)
    at_night = plan_status(PlanKind.OUTSIDE, state=CommitState.FAILURE)
    assert evidence.read([at_night, own], "dev", "main").pull_request == (DIGEST,)


@pytest.mark.parametrize(
    ("known", "gap"),
    [
        ([], EvidenceGap.NONE),
        ([plan_status(PlanKind.OUTSIDE)], EvidenceGap.NONE),
        ([plan_status(is_own=None)], EvidenceGap.UNKNOWN),
        ([plan_status(is_own=False)], EvidenceGap.FOREIGN),
        ([plan_status(digest="", state=CommitState.PENDING)], EvidenceGap.UNFINISHED),
        ([plan_status(state=CommitState.FAILURE), plan_status()], EvidenceGap.FAILED),
        ([plan_status(digest="")], EvidenceGap.OLDER),
    ],
)
def test_it_is_known_why_no_status_names_a_bundle(known, gap):
    assert evidence.read(known, "dev", "main") == Evidence(gap=gap)


@pytest.mark.parametrize("kind", PlanKind)
def test_the_status_of_a_plan_is_within_the_limit_of_github(kind):
    units = tuple(UnitReport(str(at), "m", 1, outcome) for at, outcome in enumerate(Outcome))
    report = Report(Verb.PLAN, "dev", counts=Counts(*[10**9] * 3), units=units)
    branch = "b" * 30  # a longer one is a digest
    long = statuses.of_kind(statuses.of_report("plan", report, ""), kind, DIGEST, branch)
    assert len(long.description) <= 140
    if kind in (PlanKind.PULL_REQUEST, PlanKind.QUEUE):
        into = f"into {branch} · " if kind is PlanKind.PULL_REQUEST else ""
        assert f"… · {into}{kind.value} {DIGEST}" in long.description  # half a number would be another number
        assert statuses.bundle(replace(long, state=CommitState.SUCCESS)) == (kind, DIGEST)


def test_the_worst_exit_code_wins_in_any_order():
    for codes in itertools.permutations((0, 2, 3, 4)):
        assert outputs.worst(codes) == 4
    assert outputs.worst((1, 5, 4, 130)) == 130
    assert outputs.worst((0, 64)) == 64
    assert outputs.worst(()) == 0


def test_outputs_are_one_line_each():
    bundle = BundleFact("out/dev\nhas_changes=false.bundle", "c" * 64, "")
    report = Report(Verb.PLAN, "dev", bundle=bundle, exit_code=0, counts=Counts(create=2, delete=1))
    text = outputs.render(outputs.total([report, report], [3]))
    assert text.splitlines() == [
        "has_changes=false",
        "has_deletions=true",
        "exit_code=3",
        "units=0",
        "create=4",
        "update=0",
        "replace=0",
        "delete=2",
        "forget=0",
        "bundle=out/dev has_changes=false.bundle out/dev has_changes=false.bundle",
    ]


def test_no_value_becomes_a_workflow_command():
    found = Finding("100%\n::set-env name=x::y", "environments/dev/a,b.tfvars:12", "why\r\n::error::z", "do")
    [line] = workflow_commands.errors([found])
    assert line == (
        "::error file=environments/dev/a%2Cb.tfvars,line=12,title=ngp::"
        "100%25%0A::set-env name=x::y%0Awhy%0D%0A::error::z%0Afix: do"
    )
    assert "\n" not in line


def test_every_line_of_a_secret_is_masked():
    assert list(workflow_commands.masks({"first line\nsecond%line", "abc"})) == [
        "::add-mask::first line",
        "::add-mask::first line%0Asecond%25line",
        "::add-mask::second%25line",
    ]
