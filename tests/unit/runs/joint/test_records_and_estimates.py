"""What a joint run writes down, and what it remembers for the next."""

import pytest

from ngp.errors import LockHeldError, NgpError
from ngp.runs.joint import estimates, record, state_locks
from ngp.runs.joint.record import JointRecord, JointStage, RecordFile, UnitRecord
from ngp.workspace import Workspace


def run_folder(workspace, name="20261129-100000-apply-dev-abcd"):
    folder = workspace / "runs" / name
    folder.mkdir(parents=True)
    return folder


def made(stage=JointStage.APPLYING, environment="dev"):
    units = {"a": UnitRecord("bucket", "key", "eu-central-1", "", lineage="l", serial=3, version='"etag"', lock="id")}
    return JointRecord(
        "id", "apply", environment, stage, "ours", "123456789012", units, unsaved=("a",), lost=("module.a.t.x",)
    )


def test_a_record_comes_back_as_it_was_written(tmp_path):
    folder = run_folder(tmp_path)
    record.save(folder, made())
    assert record.load(folder) == made()
    assert (folder / record.FILE).stat().st_mode & 0o777 == 0o600


def test_a_saved_unit_is_written_down_at_once(tmp_path):
    folder = run_folder(tmp_path)
    kept = RecordFile(folder, made())
    kept.saved("a", 4, '"new"')
    one = record.load(folder).units["a"]
    assert (one.serial, one.version, one.lineage) == (4, '"new"', "l")


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"v": 1, "units": {"a": {"strange": 1}}}'])
def test_a_record_that_cannot_be_read_is_an_error_and_not_an_end(tmp_path, text):
    folder = run_folder(tmp_path)
    (folder / record.FILE).write_text(text)
    with pytest.raises(NgpError, match="cannot read"):
        record.unended(Workspace(tmp_path), "dev")


def test_a_plan_refuses_while_a_run_has_not_ended_and_names_it(tmp_path):
    record.save(run_folder(tmp_path), made())
    with pytest.raises(LockHeldError, match="was killed while it applied") as caught:
        record.require_none(Workspace(tmp_path), "dev")
    assert "ngp apply dev" in caught.value.findings[0].todo
    record.require_none(Workspace(tmp_path), "prod")
    record.require_none(Workspace(tmp_path), "de")


def test_an_ended_run_is_no_obstacle(tmp_path):
    record.save(run_folder(tmp_path), made(JointStage.ENDED))
    record.require_none(Workspace(tmp_path), "dev")


def test_an_estimate_needs_most_of_the_steps(tmp_path):
    steps = [(f"module.a.t.x{number}", "create") for number in range(10)]
    assert estimates.estimate(Workspace(tmp_path), "dev", steps) is None
    estimates.save(Workspace(tmp_path), "dev", {step: 3.0 * index for index, step in enumerate(steps[:7])})
    assert estimates.estimate(Workspace(tmp_path), "dev", steps) is None
    estimates.save(Workspace(tmp_path), "dev", {steps[7]: 90.0})
    assert estimates.estimate(Workspace(tmp_path), "dev", steps) == 90.0
    assert estimates.estimate(Workspace(tmp_path), "dev", [(address, "delete") for address, _ in steps]) is None
    assert estimates.estimate(Workspace(tmp_path), "prod", steps) is None


def test_broken_estimates_are_no_failure(tmp_path):
    path = tmp_path / "cache" / "dev" / "estimates.json"
    path.parent.mkdir(parents=True)
    path.write_text("[")
    assert estimates.estimate(Workspace(tmp_path), "dev", [("a", "create")]) is None
    estimates.save(Workspace(tmp_path), "dev", {("a", "create"): 2.0})
    assert estimates.estimate(Workspace(tmp_path), "dev", [("a", "create")]) == 2.0


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("30s", 30), ("1h1m1s", 3661), ("500ms", 0.5), ("1.5m", 90)])
def test_lock_timeouts_are_terraforms(text, expected):
    assert state_locks.seconds(text) == expected
