"""What killed runs left is removed by the next run of the same environment, and of no other."""

import pytest

from ngp.errors import NgpError
from ngp.runs import leftovers
from ngp.runs.journal import new_id
from ngp.workspace import Workspace


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def test_copies_of_states_and_saved_plans_of_killed_runs_are_removed(tmp_path):
    gone = [
        write(tmp_path / "previews/dev/app/terraform.tfstate"),
        write(tmp_path / "runs" / new_id("apply", "dev") / "app.plan"),
        write(tmp_path / "runs" / new_id("destroy", "dev") / "app.plan"),
    ]
    stays = [
        write(tmp_path / "previews/my-dev/app/terraform.tfstate"),
        write(tmp_path / "runs" / new_id("apply", "my-dev") / "app.plan"),
        write(tmp_path / "runs" / new_id("apply", "dev") / "journal.jsonl"),
    ]
    leftovers.sweep(Workspace(tmp_path), "dev")
    assert [path for path in gone if path.exists()] == []
    assert [path for path in stays if not path.exists()] == []
    leftovers.sweep(Workspace(tmp_path), "dev")


@pytest.mark.parametrize(("folder", "push"), [("root", "terraform state push"), ("copy", "tofu state push")])
def test_a_state_that_was_never_written_stops_the_unit_whichever_binary_left_it(tmp_path, folder, push):
    root, copy = tmp_path / "root", tmp_path / "copy"
    leftovers.require_recovered(root, copy)
    left = write(tmp_path / folder / "errored.tfstate")
    with pytest.raises(NgpError) as caught:
        leftovers.require_recovered(root, copy)
    (finding,) = caught.value.findings
    assert finding.where == str(left)
    assert push in finding.todo


def run_of(workspace, name, *, ended=True):
    journal = write(workspace / "runs" / name / "journal.jsonl")
    journal.write_text('{"kind": "run_started"}\n' + ('{"kind": "run_ended", "error": ""}\n' if ended else ""))
    return journal.parent


def test_old_runs_are_deleted_but_for_those_that_did_not_end_or_have_a_state_to_recover(tmp_path):
    gone = run_of(tmp_path, "20200101-000000-apply-dev-0000")
    stays = [
        run_of(tmp_path, "20200101-000000-apply-dev-0001", ended=False),
        run_of(tmp_path, "20200101-000000-apply-dev-0002"),
        run_of(tmp_path, "20200101-000000-apply-my-dev-0003"),
        run_of(tmp_path, new_id("plan", "dev")),
    ]
    write(stays[1] / "tree/errored.tfstate")
    leftovers.sweep(Workspace(tmp_path), "dev")
    assert not gone.exists()
    assert all(path.exists() for path in stays)


def test_only_the_newest_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "_KEPT_RUNS", 2)
    verbs = ("plan", "apply", "destroy", "plan")
    runs = [run_of(tmp_path, f"2099010{day}-000000-{verb}-dev-0000") for day, verb in enumerate(verbs, start=1)]
    leftovers.sweep(Workspace(tmp_path), "dev")
    assert [path.exists() for path in runs] == [False, False, True, True]
