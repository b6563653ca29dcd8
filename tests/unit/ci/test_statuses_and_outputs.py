import itertools
from dataclasses import replace

from ngp.ci import outputs, statuses, workflow_commands
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


def test_the_last_job_finishes_the_status_over_all(tmp_path):
    folder = Folder(tmp_path)
    folder.set_status(HEAD, status("dev", CommitState.SUCCESS))
    assert statuses.finish(folder, HEAD, "plan", ("dev", "prod"), "").state is CommitState.PENDING
    folder.set_status(HEAD, status("prod", CommitState.SUCCESS))
    assert statuses.finish(folder, HEAD, "plan", ("dev", "prod"), "").state is CommitState.SUCCESS
    assert {one.context: one.state for one in folder.statuses(HEAD)}["ngp/plan"] is CommitState.SUCCESS


def test_what_has_no_plan_is_not_ready_to_be_merged():
    assert statuses.of_checks("plan", "dev", 0, "").state is CommitState.PENDING
    assert statuses.of_checks("plan", "dev", 1, "").state is CommitState.FAILURE
    assert statuses.of_refusal("apply", "dev", 4, "").state is CommitState.FAILURE


def test_a_status_is_named_within_the_limit():
    assert statuses.context("plan") == "ngp/plan"
    assert len(statuses.context("plan", "e" * 400)) == 255


def test_the_status_of_a_plan_names_its_bundle_within_the_limit_of_github():
    digest = "c" * 64
    fact = BundleFact("dev.bundle", digest, "")
    made = statuses.of_report("plan", Report(Verb.PLAN, "dev", bundle=fact, counts=Counts(create=2)), "")
    own = replace(made, is_own=True)
    assert statuses.bundles([own], "dev") == (digest,)
    assert statuses.bundles([made], "dev") == statuses.bundles([own], "prod") == ()
    assert statuses.bundles([replace(own, state=CommitState.FAILURE)], "dev") == ()
    assert statuses.bundles([replace(own, state=CommitState.FAILURE), own], "dev") == ()
    assert statuses.bundles([replace(made, state=CommitState.FAILURE), own], "dev") == (digest,)
    older = replace(own, description=own.description.replace("c", "d"))
    assert statuses.bundles([own, replace(own, state=CommitState.PENDING), older], "dev") == (digest, "d" * 64)
    assert statuses.bundles([replace(own, description=f"bundle {digest} and more")], "dev") == ()
    units = tuple(UnitReport(str(at), "m", 1, outcome) for at, outcome in enumerate(Outcome))
    report = Report(Verb.APPLY, "dev", bundle=fact, counts=Counts(*[10**9] * 3), units=units)
    long = statuses.of_report("plan", report, "")
    assert len(long.description) == 140
    assert "… · bundle " in long.description  # half a number would be another number
    assert statuses.bundles([replace(long, state=CommitState.SUCCESS, is_own=True)], "dev") == (digest,)
    assert digest not in statuses.of_report("apply", report, "").description


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
