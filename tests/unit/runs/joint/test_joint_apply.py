"""What an apply records before and after Terraform works, and what it saves of what Terraform did."""

import json
from types import SimpleNamespace

import pytest

from ngp.errors import MissingError
from ngp.runs.joint import applying, planning, record, state_locks
from ngp.runs.joint.following import ApplyWatcher
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.record import JointStage
from ngp.runs.outcomes import Outcome
from ngp.runs.results import UnitResult
from ngp.terraform.events import Diagnostic, ResourceDone, ResourceFailed, ResourceStarted
from ngp.terraform.plans import Action, Change, Plan
from ngp.terraform.results import Result
from tests.unit.runs.joint import joint_runs
from tests.unit.runs.joint.killed_runs import KEYS, LOCKS, resource, state

CHANGES = {name: Change(f"module.{name}.t.new", "t", Action.CREATE) for name in "ab"}
OUTPUTS = {"a__id": {"value": "1", "type": "string"}}


class Terraform:
    """Does what it is told instead of an apply; `stage` is what was recorded before."""

    def __init__(self, context, *, serial=2, made="ab", code=0, diagnostics=(), begun=""):
        self.context, self.serial, self.made, self.begun = context, serial, made, begun
        self.result = Result(code, tuple(diagnostics))

    def apply(self, root, plan, options, *, secrets, watch):
        self.stage = record.load(self.context.folder).stage
        for name in self.begun or self.made:
            watch.on_event(ResourceStarted(f"module.{name}.t.new", "create"))
        for name in self.made:
            watch.on_event(ResourceDone(f"module.{name}.t.new", "create", 1.0))
        if self.serial is not None:
            made = [resource("a", "old"), *(resource(name, "new") for name in self.made)]
            (root.path / "terraform.tfstate").write_text(state("ours", self.serial, *made, outputs=OUTPUTS))
        return self.result


@pytest.fixture
def bucket():
    return joint_runs.bucket()


@pytest.fixture
def run(tmp_path, bucket, monkeypatch):
    """`run(**what)` applies both units with a Terraform that does so; gives the results and that Terraform."""
    context = joint_runs.context(tmp_path, bucket, monkeypatch)
    monkeypatch.setattr(planning, "secrets", lambda *_: {})
    monkeypatch.setattr("ngp.runs.joint.checkpoints._PATIENCE_S", 0.0)

    def apply(**what):
        joint = joint_runs.joint(context)
        joint.root.path.mkdir(parents=True)
        results = {name: UnitResult(name, name, 1, Outcome.PLANNED, changes=(CHANGES[name],)) for name in "ab"}
        planned = JointPlan(results, {}, joint, {name: Plan((CHANGES[name],), {}) for name in "ab"})
        terraform = Terraform(context, **what)
        context.terraform.apply = terraform.apply
        with state_locks.acquire(context, take=True) as locks:
            locks.note_plan(planned)
            found = applying.apply(context, planned, locks)
            apply.before_end = record.load(context.folder)
        apply.record = record.load(context.folder)
        return {name: one.outcome for name, one in found.items()}, terraform

    return apply


def stored(bucket, name):
    if KEYS[name] not in bucket.objects:
        return None
    found = json.loads(bucket.objects[KEYS[name]])
    return found["serial"], sorted(one["name"] for one in found["resources"]), sorted(found["outputs"])


def locked(bucket):
    return sorted(name for name, key in LOCKS.items() if key in bucket.objects)


def test_a_whole_apply_saves_every_state_and_ends(run, bucket):
    outcomes, terraform = run()
    assert outcomes == {"a": Outcome.APPLIED, "b": Outcome.APPLIED}
    assert (stored(bucket, "a"), stored(bucket, "b")) == ((6, ["new", "old"], ["id"]), (1, ["new"], []))
    assert (terraform.stage, run.before_end.stage) == (JointStage.APPLYING, JointStage.SAVED)
    assert (run.before_end.is_final, run.before_end.unsaved, run.before_end.lost) == (True, (), ())
    assert (run.record.stage, locked(bucket)) == (JointStage.ENDED, [])


def test_a_state_that_cannot_be_written_stays_with_its_lock(run, bucket):
    put = bucket._put_object

    def refuse(key, **parameters):
        if key == KEYS["a"]:
            raise MissingError("S3 is down")
        return put(key, **parameters)

    bucket._put_object = refuse
    outcomes, _ = run()
    assert outcomes == {"a": Outcome.FAILED, "b": Outcome.APPLIED}
    assert (run.record.stage, run.record.unsaved, locked(bucket)) == (JointStage.SAVING, ("a",), ["a"])
    assert stored(bucket, "b") == (1, ["new"], [])


def test_a_killed_terraform_loses_what_it_was_making_and_no_more(run, bucket):
    outcomes, _ = run(made="a", begun="ab", code=137)
    assert outcomes == {"a": Outcome.APPLIED, "b": Outcome.FAILED}
    assert stored(bucket, "a") == (6, ["new", "old"], ["id"])
    assert stored(bucket, "b") is None
    assert (run.record.stage, run.record.lost, run.record.is_final) == (JointStage.SAVED, ("module.b.t.new",), False)
    assert locked(bucket) == [], "an import needs them"


def test_without_a_joint_state_nothing_is_said_to_be_saved(run, bucket):
    outcomes, _ = run(serial=None, made="", code=137)
    assert outcomes == {"a": Outcome.FAILED, "b": Outcome.FAILED}
    assert (run.record.stage, set(run.record.unsaved)) == (JointStage.SAVING, {"a", "b"})
    assert locked(bucket) == ["a", "b"]
    assert stored(bucket, "a") == (5, ["old"], [])


def test_an_apply_that_failed_saves_what_it_made(run, bucket):
    outcomes, _ = run(made="a", code=1, diagnostics=[Diagnostic("error", "no", "", "module.b.t.new")])
    assert outcomes == {"a": Outcome.APPLIED, "b": Outcome.FAILED}
    assert stored(bucket, "a") == (6, ["new", "old"], ["id"])
    assert (run.before_end.stage, run.before_end.is_final) == (JointStage.SAVED, True)
    assert run.record.stage is JointStage.ENDED


def test_checkpoints_and_results_are_told_what_ended_and_what_failed(tmp_path, bucket, monkeypatch):
    context = joint_runs.context(tmp_path, bucket, monkeypatch)
    follow = ApplyWatcher(context, JointPlan({}, {}, joint_runs.joint(context), {"a": Plan((CHANGES["a"],), {})}))
    saved = []
    follow.checkpoints = SimpleNamespace(done=saved.append)
    address = "module.a.t.new"
    follow.call.on_event(ResourceStarted(address, "create"))
    assert (saved, follow.units["a"].missing) == ([], [address])
    follow.call.on_event(ResourceFailed(address, "create", 1.0))
    assert (saved, follow.units["a"].has_failed, follow.units["a"].missing) == ([], True, [address])
    follow.call.on_event(ResourceDone(address, "create", 1.0))
    assert (saved, follow.units["a"].missing, follow.units["a"].counts.create) == (["a"], [], 1)


def test_what_an_interruption_cut_off_has_not_failed(tmp_path, bucket, monkeypatch):
    context = joint_runs.context(tmp_path, bucket, monkeypatch)
    follow = ApplyWatcher(context, JointPlan({}, {}, joint_runs.joint(context), {"a": Plan((CHANGES["a"],), {})}))
    context.stop.set()
    follow.call.on_event(ResourceFailed("module.a.t.new", "create", 1.0))
    assert not follow.units["a"].has_failed
