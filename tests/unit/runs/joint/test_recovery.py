"""The next apply finishes what a killed one began: nothing is written over, nothing is dropped."""

import json
from dataclasses import replace

import pytest

from ngp.errors import LockHeldError, NgpError, RefusedError, StaleError
from ngp.runs.joint import recovery
from ngp.runs.joint.record import JointStage
from ngp.state import storing
from tests.unit.runs.joint.killed_runs import KEYS, LOCKS, RUN, THEIRS, KilledRun, resource, state

OLD_A, NEW_A = ("line-a", 5, ["old"], ["gone"]), ("line-a", 6, ["new", "old"], ["gone", "id"])
NEW_B = ("line-b", 1, ["new"], [])
ID = {"id": {"value": "1", "type": "string"}}
LOST = "module.b.t.lost"


@pytest.fixture
def run(tmp_path):
    return KilledRun(tmp_path)


def test_the_states_are_written_the_locks_released_and_the_values_deleted(run):
    recovery.recover(run.context())
    assert (run.stored("a"), run.stored("b"), run.locks) == (NEW_A, NEW_B, [])
    assert run.record.stage is JointStage.ENDED
    assert not run.joint.exists()
    assert run.notes[0] == f"saved what run {RUN} had created: the states of a, b"
    assert run.notes[1] == f"released the locks of run {RUN}: a, b"


def test_the_own_run_of_a_command_is_not_recovered(run):
    recovery.recover(run.context(folder=run.folder))
    assert run.stored("b") is None
    assert run.record.stage is JointStage.APPLYING


def test_a_second_recovery_finds_nothing_to_do(run):
    recovery.recover(run.context())
    before = dict(run.bucket.objects)
    run.notes.clear()
    recovery.recover(run.context())
    assert (run.bucket.objects, run.notes) == (before, [])


def test_an_output_goes_away_only_with_a_last_state(run):
    run.keep(is_final=True)
    recovery.recover(run.context())
    assert run.stored("a") == (*NEW_A[:3], ["id"])


NOT_SAVED = {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "Failed to save state"}}


@pytest.mark.parametrize(
    ("exit_code", "said", "errored", "is_final"),
    [
        ("0", "", "", True),
        ("1", "", "", True),
        ("1", json.dumps(NOT_SAVED), "", False),
        ("1", json.dumps(NOT_SAVED), "{}", True),
        ("1", json.dumps(NOT_SAVED), "{", False),
        ("137", "", "", False),
        ("", "", "", False),
    ],
)
def test_how_a_terraform_ended_after_the_kill_says_whether_its_state_is_the_last(
    run, exit_code, said, errored, is_final
):
    call = run.folder / "calls/1"
    call.mkdir(parents=True)
    (call / "about.json").write_text('{"about": "apply _all", "tied": false}')
    (call / "exit").write_text(exit_code)
    (call / "stdout").write_text(said)
    if errored:
        (run.folder / "tree/root/errored.tfstate").write_text(errored)
    recovery.recover(run.context())
    assert run.stored("a") == (*NEW_A[:3], ["id"] if is_final else ["gone", "id"])
    assert run.record.is_final is is_final


def test_what_terraform_had_not_changed_is_not_written_again(run):
    run.joint.write_text(state("ours", 4, resource("a", "old"), resource("b", "new")))
    recovery.recover(run.context())
    assert run.stored("a") == OLD_A
    assert run.notes[0] == f"saved what run {RUN} had created: the states of b"


@pytest.mark.parametrize("stage", [JointStage.LOCKING, JointStage.PLANNED, JointStage.SAVED])
def test_a_run_that_applied_nothing_or_saved_all_only_gives_back_its_locks(run, stage):
    run.keep(stage)
    recovery.recover(run.context())
    assert (run.stored("a"), run.stored("b"), run.locks) == (OLD_A, None, [])
    assert run.record.stage is JointStage.ENDED
    assert not run.joint.exists()


def test_without_a_whole_joint_state_nothing_is_touched(run, monkeypatch):
    monkeypatch.setattr("ngp.runs.joint.checkpoints._PATIENCE_S", 0.0)
    run.joint.write_text("{")
    before = dict(run.bucket.objects)
    with pytest.raises(NgpError, match=f"cannot read the joint state of run {RUN}"):
        recovery.recover(run.context())
    assert run.bucket.objects == before
    assert run.record.stage is JointStage.APPLYING


class TestOtherStates:
    def test_a_state_that_somebody_changed_stays_and_the_others_are_saved(self, run):
        run.bucket.objects[KEYS["a"]] = theirs = state("line-a", 6, resource("a", "imported"))
        with pytest.raises(StaleError, match="the state of `a` was changed after run") as caught:
            recovery.recover(run.context())
        assert caught.value.findings[0].where == f"s3://bucket/{KEYS['a']}"
        assert (run.bucket.objects[KEYS["a"]], run.stored("b")) == (theirs, NEW_B)
        assert (run.record.stage, run.record.unsaved, run.locks) == (JointStage.SAVING, ("a",), [])
        assert run.joint.exists(), "it has what the state lacks"

    def test_it_is_written_over_as_little_the_next_time(self, run):
        run.bucket.objects[KEYS["a"]] = theirs = state("line-a", 6, resource("a", "imported"))
        for _ in range(2):
            with pytest.raises(StaleError):
                recovery.recover(run.context())
        assert run.bucket.objects[KEYS["a"]] == theirs

    def test_a_state_that_was_pushed_by_hand_is_settled(self, run):
        pushed = state("line-a", 9, resource("a", "new"), resource("a", "old"), outputs=ID)
        run.bucket.objects[KEYS["a"]] = pushed
        recovery.recover(run.context())
        assert run.bucket.objects[KEYS["a"]] == pushed
        assert run.record.stage is JointStage.ENDED

    def test_the_same_content_of_another_lineage_is_not(self, run):
        run.bucket.objects[KEYS["a"]] = state("line-x", 9, resource("a", "new"), resource("a", "old"), outputs=ID)
        with pytest.raises(StaleError):
            recovery.recover(run.context())

    def test_what_the_killed_run_wrote_itself_is_its_own(self, run):
        """It died between the write and its record."""
        halfway = state("line-a", 6, resource("a", "old"), resource("a", "other"))
        run.bucket.objects[KEYS["a"]] = halfway
        run.units["a"] = replace(run.units["a"], writing=storing.digest(halfway))
        run.keep()
        recovery.recover(run.context())
        assert run.stored("a") == ("line-a", 7, ["new", "old"], ["id"])

    def test_a_state_that_is_gone_is_written_again(self, run):
        del run.bucket.objects[KEYS["a"]]
        recovery.recover(run.context())
        assert run.stored("a") == (*NEW_A[:3], ["id"])

    def test_a_state_that_cannot_be_written_keeps_the_locks(self, run):
        run.bucket.refusals["put_object"] = [storing.MissingError("S3 is down")] * 2
        with pytest.raises(NgpError, match="S3 is down"):
            recovery.recover(run.context())
        assert (run.record.stage, set(run.record.unsaved)) == (JointStage.SAVING, {"a", "b"})
        assert run.locks == ["a", "b"]
        recovery.recover(run.context())
        assert (run.stored("a"), run.stored("b"), run.locks) == (NEW_A, NEW_B, [])


class TestLocks:
    def test_one_that_somebody_released_is_taken_again_and_told(self, run):
        del run.bucket.objects[LOCKS["b"]]
        recovery.recover(run.context())
        assert run.notes[0] == f"somebody released locks of run {RUN}, so ngp took them again: b"
        assert (run.stored("b"), run.locks) == (NEW_B, [])

    def test_where_somebody_else_works_on_a_state_nothing_is_written(self, run):
        run.bucket.objects[LOCKS["b"]] = THEIRS
        with pytest.raises(LockHeldError, match="ann@host"):
            recovery.recover(run.context())
        assert (run.stored("a")[1], run.stored("b"), run.locks) == (5, None, ["a", "b"])
        assert run.record.stage is JointStage.APPLYING

    def test_that_of_somebody_else_is_not_given_back(self, run):
        run.keep(JointStage.PLANNED)
        run.bucket.objects[LOCKS["b"]] = THEIRS
        recovery.recover(run.context())
        assert run.locks == ["b"]
        assert run.notes[0] == f"released the locks of run {RUN}: a"


class TestLostObjects:
    def test_they_stop_the_next_apply_until_each_is_accounted_for(self, run):
        run.keep(lost=(LOST, "module.a.t.gone"))
        with pytest.raises(RefusedError) as caught:
            recovery.recover(run.context("module.a.t.gone"))
        (only,) = caught.value.findings
        assert only.what == f"{LOST} may exist, but no state contains it"
        assert f"in the root of `b`: terraform import '{LOST}' ID" in only.todo
        assert (run.stored("a"), run.stored("b"), run.locks) == (NEW_A, NEW_B, [])
        assert (run.record.stage, run.record.lost) == (JointStage.SAVED, (LOST,))
        recovery.recover(run.context(LOST))
        assert (run.record.stage, run.record.lost) == (JointStage.ENDED, ())

    def test_one_that_was_imported_is_accounted_for(self, run):
        run.keep(JointStage.SAVED, lost=(LOST,))
        run.bucket.objects[KEYS["b"]] = state("line-b", 1, resource("b", "lost"))
        recovery.recover(run.context())
        assert run.record.stage is JointStage.ENDED

    def test_a_replaced_object_is_made_only_when_its_id_is_new(self, run):
        run.units["b"] = replace(run.units["b"], replaced={LOST: "1"})
        run.keep(JointStage.SAVED, lost=(LOST,))
        run.bucket.objects[KEYS["b"]] = state("line-b", 1, resource("b", "lost", "1"))
        with pytest.raises(RefusedError):
            recovery.recover(run.context())
        run.bucket.objects[KEYS["b"]] = state("line-b", 2, resource("b", "lost", "2"))
        recovery.recover(run.context())
        assert run.record.stage is JointStage.ENDED


def test_a_document_keeps_every_digit(run):
    text = run.joint.read_text()
    number = "12345678901234567890.5"
    run.joint.write_text(text.replace('"value": "1"', f'"value": {number}'))
    run.keep(is_final=True)
    recovery.recover(run.context())
    assert number in run.bucket.objects[KEYS["a"]]
    assert json.loads(run.bucket.objects[KEYS["a"]])["check_results"] is None
