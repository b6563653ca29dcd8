"""Each unit's part of a joint state goes over the version that was read, or is kept beside the run."""

import json

import pytest

from ngp.errors import NgpError, StaleError
from ngp.runs.joint import record, states
from ngp.runs.joint.record import RecordFile
from ngp.runs.joint.saving import Saver
from ngp.runs.units import SINGLE
from ngp.state import storing
from tests.unit.runs.joint.killed_runs import KEYS, KilledRun, resource, state

CHECKS = [{"object_kind": "var", "config_addr": "module.a.var.x", "status": "pass", "objects": None}]
ID = {"value": "1", "type": "string"}


@pytest.fixture
def run(tmp_path):
    return KilledRun(tmp_path)


@pytest.fixture
def saver(run):
    return make_saver(run)


def make_saver(run, declared=lambda _: frozenset()):
    found = run.bucket.objects.get(KEYS["a"])
    return Saver(
        run.bucket,
        RecordFile(run.folder, run.record),
        {"a": found and states.load(found, where="a"), "b": None},
        declared,
    )


def document(serial, *resources, checks=None, **outputs):
    text = json.loads(state("ours", serial, *resources, outputs=outputs))
    return {**text, "check_results": checks}


def test_only_the_named_units_are_written_and_recorded(run, saver):
    joint = document(2, resource("a", "new"), resource("b", "new"))
    assert saver.save(joint, ["b"], is_final=False) == {}
    assert (run.stored("a")[1], run.stored("b")) == (5, ("line-b", 1, ["new"], []))
    one = run.record.units["b"]
    assert (one.serial, one.version, one.writing) == (
        1,
        run.bucket.etag(KEYS["b"]),
        storing.digest(run.bucket.objects[KEYS["b"]]),
    )


def test_serials_go_up_with_each_write_over_the_own_version(run, saver):
    for number in (1, 2):
        assert saver.save(document(number, resource("a", f"x{number}")), ["a"], is_final=False) == {}
    assert run.stored("a") == ("line-a", 7, ["x2"], ["gone"])


def test_an_equal_state_is_not_written(run, saver):
    joint = document(2, resource("a", "new"))
    saver.save(joint, ["a"], is_final=False)
    calls = len(run.bucket.calls)
    assert saver.save(joint, ["a"], is_final=False) == {}
    assert len(run.bucket.calls) == calls


def test_what_will_be_written_is_recorded_before_it_is(run, saver):
    seen, put = [], run.bucket._put_object

    def note(key, **parameters):
        seen.append(run.record.units["a"].writing)
        return put(key, **parameters)

    run.bucket._put_object = note
    saver.save(document(2, resource("a", "new")), ["a"], is_final=False)
    assert seen == [storing.digest(run.bucket.objects[KEYS["a"]])]


def test_outputs_and_checks_stay_until_the_end(run):
    run.bucket.objects[KEYS["a"]] = json.dumps(
        {
            **json.loads(state("line-a", 5, resource("a", "old"), outputs={"gone": ID, "id": ID})),
            "check_results": CHECKS,
        }
    )
    run.units["a"] = run._unit("a", 5, run.bucket.etag(KEYS["a"]))
    run.keep()
    saver = make_saver(run)
    more = {"a__id": {"value": "2", "type": "string"}}
    saver.save(document(2, resource("a", "new"), **more), ["a"], is_final=False)
    halfway = json.loads(run.bucket.objects[KEYS["a"]])
    assert (sorted(halfway["outputs"]), halfway["outputs"]["id"]["value"]) == (["gone", "id"], "2")
    assert halfway["check_results"] == CHECKS
    saver.save(document(3, resource("a", "new"), **more), ["a"], is_final=True)
    last = json.loads(run.bucket.objects[KEYS["a"]])
    assert (sorted(last["outputs"]), last["check_results"]) == (["id"], None)


class TestFailures:
    JOINT = document(2, resource("a", "new"), resource("b", "new"))

    def test_a_state_that_moved_is_kept_beside_the_run_at_the_end(self, run, saver):
        run.bucket.objects[KEYS["a"]] = theirs = state("line-a", 6)
        failures = saver.save(self.JOINT, ["a", "b"], is_final=True)
        assert list(failures) == ["a"]
        assert (run.bucket.objects[KEYS["a"]], run.stored("b")[1]) == (theirs, 1)
        path = run.folder / "unsaved/a.tfstate"
        kept = json.loads(path.read_text())
        assert (kept["lineage"], kept["serial"], len(kept["resources"])) == ("line-a", 6, 1)
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        (finding,) = failures["a"].findings
        assert finding.what == f"the state of `a` could not be written to s3://bucket/{KEYS['a']}; it is kept in {path}"
        assert "the state was changed by somebody else: its version is" in finding.why
        assert f"terraform state push -lock=false {path}" in finding.todo
        assert run.record.units["a"].serial == 5

    def test_before_the_end_it_is_only_returned(self, run, saver):
        run.bucket.objects[KEYS["a"]] = state("line-a", 6)
        failures = saver.save(self.JOINT, ["a"], is_final=False)
        assert isinstance(failures["a"], StaleError)
        assert not (run.folder / "unsaved").exists()

    def test_a_disk_without_room_for_it_has_its_own_fix(self, run, saver):
        run.bucket.objects[KEYS["a"]] = state("line-a", 6)
        (run.folder / "unsaved").write_text("in its way")
        failures = saver.save(self.JOINT, ["a"], is_final=True)
        assert failures["a"].findings[0].todo.startswith("free some disk")

    def test_a_file_that_cannot_be_written_names_itself(self, run, monkeypatch, saver):
        def refuse(*_):
            raise OSError(28, "No space left on device", "/state/a")

        monkeypatch.setattr(storing, "store", refuse)
        failures = saver.save(self.JOINT, ["a"], is_final=False)
        assert isinstance(failures["a"], NgpError)
        assert str(failures["a"]) == "/state/a: No space left on device"

    def test_a_full_disk_does_not_keep_states_from_s3(self, run, saver, monkeypatch):
        def refuse(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(record, "save", refuse)
        assert saver.save(self.JOINT, ["a", "b"], is_final=True) == {}
        assert (run.stored("a")[1], run.stored("b")[1]) == (6, 1)


class TestCreateBeforeDestroy:
    def flagged(self):
        made = resource("a", "new")
        made["instances"][0]["create_before_destroy"] = True
        return document(2, made)

    def saved(self, run):
        (one,) = json.loads(run.bucket.objects[KEYS["a"]])["resources"]
        return one["instances"][0].get("create_before_destroy")

    def test_a_flag_of_another_unit_is_not_saved(self, run, saver):
        saver.save(self.flagged(), ["a"], is_final=True)
        assert self.saved(run) is None

    def test_the_units_own_flag_is(self, run):
        asked = []
        saver = make_saver(run, lambda unit: asked.append(unit) or frozenset({"module.a.t.new"}))
        saver.save(self.flagged(), ["a"], is_final=True)
        assert (self.saved(run), asked) == (True, ["a"])

    def test_one_state_for_all_units_keeps_every_flag(self, run):
        run.units = {SINGLE: run.units["a"]}
        run.keep(is_whole=True)
        saver = Saver(run.bucket, RecordFile(run.folder, run.record), {SINGLE: None}, pytest.fail)
        assert saver.save(self.flagged(), [SINGLE], is_final=True) == {}
        assert self.saved(run) is True

    def test_units_without_a_flag_are_not_asked(self, run):
        saver = make_saver(run, lambda unit: pytest.fail(unit))
        saver.save(document(2, resource("a", "new")), ["a"], is_final=True)
