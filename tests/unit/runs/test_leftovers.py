"""What killed runs left is removed by the next run of the same environment, and of no other."""

import pytest

from ngp.errors import NgpError
from ngp.runs import leftovers
from ngp.runs.journal import new_id


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
    leftovers.sweep(tmp_path, "dev")
    assert [path for path in gone if path.exists()] == []
    assert [path for path in stays if not path.exists()] == []
    leftovers.sweep(tmp_path, "dev")


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
