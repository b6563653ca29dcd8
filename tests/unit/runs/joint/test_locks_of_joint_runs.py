"""Locks of a joint run: recorded before they are taken, kept while a state is not written, else released."""

import json
from dataclasses import replace

import pytest

from ngp.errors import LockHeldError, NgpError, StaleError
from ngp.runs.joint import record, state_locks
from ngp.runs.joint.planning import JointPlan
from ngp.runs.joint.record import JointStage
from ngp.terraform.plans import Action, Change, Plan
from tests.unit.runs.joint import joint_runs
from tests.unit.runs.joint.killed_runs import KEYS, LOCKS, THEIRS, state

BROKEN = NgpError("the connection broke")


@pytest.fixture
def bucket():
    return joint_runs.bucket()


@pytest.fixture
def context(tmp_path, bucket, monkeypatch):
    return joint_runs.context(tmp_path, bucket, monkeypatch)


@pytest.fixture
def joint(context):
    return joint_runs.joint(context)


def locked(bucket):
    return sorted(name for name, key in LOCKS.items() if key in bucket.objects)


def kept(context):
    return record.load(context.folder)


def test_a_lock_is_recorded_before_it_is_taken(context, bucket):
    seen, put = [], bucket._put_object

    def note(key, **parameters):
        seen.append((kept(context).stage, {name: one.lock for name, one in kept(context).units.items()}))
        return put(key, **parameters)

    bucket._put_object = note
    with state_locks.acquire(context, take=True) as locks:
        ids = {name: json.loads(bucket.objects[LOCKS[name]])["ID"] for name in "ab"}
        assert seen == [(JointStage.LOCKING, ids)] * 2
        assert locks.record.record == kept(context)
    assert locked(bucket) == []


def test_locks_are_taken_later_where_that_is_asked(context, bucket):
    with state_locks.acquire(context, take=False) as locks:
        assert locked(bucket) == []
        locks.take()
        assert locked(bucket) == ["a", "b"]
    assert locked(bucket) == []


def test_units_that_are_planned_separately_are_not_locked(context, bucket):
    context.apart = {"b": "why"}
    with state_locks.acquire(context, take=True):
        assert locked(bucket) == ["a"]
    context.apart = {"a": "why", "b": "why"}
    with state_locks.acquire(context, take=True):
        assert locked(bucket) == []


def test_a_held_lock_ends_the_run_with_nothing_left(context, bucket):
    bucket.objects[LOCKS["b"]] = THEIRS
    with pytest.raises(LockHeldError), state_locks.acquire(context, take=True):
        pass
    assert {key: bucket.objects[key] for key in LOCKS.values() if key in bucket.objects} == {LOCKS["b"]: THEIRS}
    assert kept(context).stage is JointStage.ENDED


def test_an_error_before_the_apply_releases_all_and_deletes_the_values(context, bucket):
    def fail():
        with state_locks.acquire(context, take=True) as locks:
            locks.tree.folder.mkdir()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert locked(bucket) == []
    assert not (context.folder / state_locks.TREE).exists()
    assert kept(context).stage is JointStage.ENDED


@pytest.mark.parametrize(
    ("changes", "left", "stage"),
    [
        ({"stage": JointStage.PLANNED}, [], JointStage.ENDED),
        ({"stage": JointStage.APPLYING}, ["a", "b"], JointStage.APPLYING),
        ({"stage": JointStage.SAVING, "unsaved": ("a",)}, ["a"], JointStage.SAVING),
        ({"stage": JointStage.SAVED}, [], JointStage.ENDED),
        ({"stage": JointStage.SAVED, "lost": ("module.a.t.x",)}, [], JointStage.SAVED),
    ],
)
def test_locks_of_states_that_are_not_written_stay_with_the_values(context, bucket, changes, left, stage):
    with state_locks.acquire(context, take=True) as locks:
        locks.tree.folder.mkdir()
        locks.record.update(**changes)
    assert locked(bucket) == left
    assert kept(context).stage is stage
    assert locks.tree.folder.exists() is (stage is not JointStage.ENDED)


def test_a_lock_that_cannot_be_released_is_told_and_left_to_the_next_apply(context, bucket):
    with state_locks.acquire(context, take=True):
        bucket.refusals["delete_object"] = [BROKEN]
    assert context.notes == ["cannot release a lock: the connection broke; the next apply or `ngp unlock` releases it"]
    assert locked(bucket) == ["a"]
    assert kept(context).stage is JointStage.LOCKING


def test_a_bundle_whose_units_are_joined_elsewhere_is_stale(context):
    context.apart = {"b": "its root contains files"}
    with state_locks.acquire(context, take=False) as locks:
        locks.require_taken(["a"])
        with pytest.raises(StaleError) as caught:
            locks.require_taken(["a", "b"])
    (only,) = caught.value.findings
    assert only.what == "ngp handles `b` separately here: its root contains files"


class TestMoved:
    def test_what_did_not_move_is_applied(self, context, joint):
        with state_locks.acquire(context, take=True) as locks:
            locks.require_unmoved(joint)

    @pytest.mark.parametrize(("unit", "says"), [("a", "a"), ("b", "b"), ("c", r"c \(its outputs are used\)")])
    def test_a_state_that_moved_stops_the_apply(self, context, joint, bucket, unit, says):
        bucket.objects[f"environments/dev/{unit}.tfstate"] = state(f"line-{unit}", 6)
        with state_locks.acquire(context, take=True) as locks, pytest.raises(StaleError, match=f"plan: {says};"):
            locks.require_unmoved(joint)

    def test_a_state_that_is_gone_stops_it_too(self, context, joint, bucket):
        del bucket.objects[KEYS["a"]]
        with state_locks.acquire(context, take=True) as locks, pytest.raises(StaleError, match="plan: a;"):
            locks.require_unmoved(joint)

    def test_a_plan_that_was_joined_differently_stops_it(self, context, joint):
        with state_locks.acquire(context, take=True) as locks, pytest.raises(StaleError, match="plan: a, b;"):
            locks.require_unmoved(replace(joint, state=joint.state.replace("old", "new")))


class TestPlanned:
    def plan(self, joint, *names):
        parts = {
            "a": Plan((Change("module.a.t.old", "t", Action.REPLACE), Change("module.a.t.x", "t", Action.UPDATE)), {})
        }
        return JointPlan(dict.fromkeys(names), {}, joint, parts)

    def test_the_record_has_what_the_apply_needs(self, context, joint, bucket):
        with state_locks.acquire(context, take=True) as locks:
            ids = {name: json.loads(bucket.objects[LOCKS[name]])["ID"] for name in "ab"}
            locks.note_plan(self.plan(joint, "a", "b"))
            found = kept(context)
            assert (found.stage, found.lineage, found.root) == (JointStage.PLANNED, "ours", "tree/root")
            a, b = found.units["a"], found.units["b"]
            assert (a.lineage, a.serial, a.version, a.lock) == ("line-a", 5, bucket.etag(KEYS["a"]), ids["a"])
            assert (b.serial, b.version, b.lock, b.replaced) == (0, "", ids["b"], {})
            assert len(b.lineage) == 36, "a new one"
            assert a.replaced == {"module.a.t.old": "1"}
            assert a.source == "tree/m"

    def test_the_locks_of_units_that_terraform_locks_itself_are_released(self, context, joint, bucket):
        with state_locks.acquire(context, take=True) as locks:
            locks.note_plan(self.plan(replace(joint, units={"a": joint.units["a"]}), "a"))
            assert locked(bucket) == ["a"]
            assert set(kept(context).units) == {"a"}
        assert locked(bucket) == []

    def test_a_run_without_a_joint_plan_keeps_no_lock(self, context, bucket):
        with state_locks.acquire(context, take=True) as locks:
            locks.note_plan(JointPlan({}, {"a": "why", "b": "why"}))
            assert locked(bucket) == []
            assert (kept(context).stage, kept(context).lineage, kept(context).units) == (JointStage.PLANNED, "", {})
        assert kept(context).stage is JointStage.ENDED
