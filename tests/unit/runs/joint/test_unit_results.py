"""What is told of units after an apply that did not go well, and what counts as lost."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ngp.runs.joint.following import ApplyWatcher
from ngp.runs.joint.partition import Partition
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.record import JointRecord, JointStage, UnitRecord
from ngp.runs.joint.states import StatePart
from ngp.runs.joint.unit_results import UnitResults, _has_outputs
from ngp.runs.outcomes import Outcome, exit_code
from ngp.runs.results import UnitResult, Verb
from ngp.terraform.events import Diagnostic, ResourceDone
from ngp.terraform.plans import Action, Change, OutputChange, Plan
from ngp.terraform.results import Result


@pytest.fixture
def judged(tmp_path):
    """`judged(diagnostics, done=[…])` gives the outcome of `a` and `b`, which are to create one resource each."""
    (tmp_path / "main.tf").write_text("")
    units = {name: SimpleNamespace(sources={name: tmp_path / name}) for name in "ab"}
    tree = SimpleNamespace(path=lambda path: path, folder=tmp_path)
    root = SimpleNamespace(path=tmp_path)
    joint = SimpleNamespace(units=units, root=root, tree=tree, partition=Partition.of(units))
    changes = {name: Change(f"module.{name}.t.x", "t", Action.CREATE) for name in "ab"}
    results = {name: UnitResult(name, name, 1, Outcome.PLANNED, changes=(changes[name],)) for name in "ab"}
    planned = JointPlan(results, {}, joint, {name: Plan((changes[name],), {}) for name in "ab"})
    context = SimpleNamespace(
        request=SimpleNamespace(verb=Verb.APPLY),
        emit=lambda _: None,
        log=lambda name: Path("log"),
        log_name=lambda name: "log",
        stop=SimpleNamespace(is_set=lambda: False),
        resolved=None,
    )

    def judge(diagnostics=(), done=(), code=1):
        follow = ApplyWatcher(context, planned)
        for name in done:
            follow.call.on_event(ResourceDone(f"module.{name}.t.x", "create", 1.0))
        judged = UnitResults(context, planned, follow, Result(code, tuple(diagnostics)))
        return {name: judged.result(name, StatePart([], {}), None, ()) for name in "ab"}

    return judge


def outcomes(results):
    return {name: one.outcome for name, one in results.items()}


def test_an_error_that_names_no_unit_fails_every_unit_that_is_not_done(judged):
    results = judged([Diagnostic("error", "Provider produced inconsistent final plan", "")], done="a")
    assert outcomes(results) == {"a": Outcome.APPLIED, "b": Outcome.FAILED}
    assert "Provider produced inconsistent final plan" in results["b"].reason
    assert exit_code(outcomes(results).values()) == 1


def test_a_killed_terraform_fails_what_was_not_begun(judged):
    results = judged(code=137)
    assert outcomes(results) == {"a": Outcome.FAILED, "b": Outcome.FAILED}
    assert "killed by signal 9" in results["a"].reason


def test_a_terraform_that_ended_well_has_done_what_it_did_not_report(judged):
    assert outcomes(judged(done="a", code=0)) == {"a": Outcome.APPLIED, "b": Outcome.APPLIED}


def test_what_waits_for_another_units_resource_is_skipped(judged):
    results = judged([Diagnostic("error", "no", "", "module.a.t.x")])
    assert outcomes(results) == {"a": Outcome.FAILED, "b": Outcome.SKIPPED}


@pytest.mark.parametrize(
    ("planned", "value", "expected"),
    [
        (OutputChange("o", Action.UPDATE, "old", "new"), "old", False),
        (OutputChange("o", Action.UPDATE, "old", "new"), "new", True),
        (OutputChange("o", Action.UPDATE, "old", None, True), "old", False),
        (OutputChange("o", Action.UPDATE, "old", None, True), "new", True),
        (OutputChange("o", Action.CREATE, None, None, True), "new", True),
    ],
)
def test_an_output_counts_only_with_its_new_value(planned, value, expected):
    result = UnitResult("a", "a", 1, Outcome.PLANNED, outputs={"o": planned})
    assert _has_outputs(result, StatePart([], {"o": {"value": value}})) is expected


def test_the_old_object_of_a_replacement_is_not_the_new_one():
    def document(identity):
        instance = {"attributes": {"id": identity}}
        one = {"module": "module.a", "mode": "managed", "type": "t", "name": "x", "instances": [instance]}
        return {"resources": [one]}

    unit = UnitRecord("", "", "", "", replaced={"module.a.t.x": "old"})
    record = JointRecord("r", "apply", "dev", JointStage.APPLYING, "l", "1", {"a": unit})
    assert record.made(document("old")) == set()
    assert record.made(document("new")) == {"module.a.t.x"}
