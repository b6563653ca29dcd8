"""What survives of a joint state that is cut off while Terraform writes it."""

import itertools
import json
import threading
from pathlib import Path

import pytest

from ngp.runs.joint import checkpoints
from ngp.runs.joint.checkpoints import COPIES, Checkpoints, Copies


def state(serial, lineage="ours", *names):
    resources = [
        {"module": "module.a", "mode": "managed", "type": "t", "name": name, "instances": [{}]} for name in names
    ]
    return json.dumps(
        {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage, "resources": resources}
    )


@pytest.fixture
def file(tmp_path):
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree" / "terraform.tfstate"


def test_only_a_whole_document_counts(tmp_path, file):
    copies = Copies(file, tmp_path, "ours")
    assert copies.read_current() is None
    file.write_text(state(1))
    assert copies.read_current()["serial"] == 1
    for part in ("", state(2)[:40], "\0" * 30):
        file.write_text(part)
        assert copies.read_current() is None
        assert copies.read_last()["serial"] == 1


def test_a_document_of_another_plan_is_not_ours(tmp_path, file):
    file.write_text(state(5, "theirs"))
    assert Copies(file, tmp_path, "ours").read_current() is None


def test_the_last_two_whole_documents_are_kept_beside_it(tmp_path, file):
    copies = Copies(file, tmp_path, "ours")
    for serial in (1, 2, 3):
        file.write_text(state(serial))
        copies.read_current()
        copies.read_current()
    kept = {json.loads((tmp_path / name).read_text())["serial"] for name in COPIES}
    assert kept == {2, 3}
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in COPIES} == {0o600}


@pytest.mark.parametrize("left", ["", state(4)[:50], None], ids=["emptied", "cut-off", "gone"])
def test_after_a_kill_the_newest_whole_document_is_the_last_word(tmp_path, file, left):
    copies = Copies(file, tmp_path, "ours")
    for serial in (2, 3):
        file.write_text(state(serial))
        copies.read_current()
    file.unlink() if left is None else file.write_text(left)
    assert Copies(file, tmp_path, "ours").read_last()["serial"] == 3


def test_the_file_itself_is_the_last_word_where_it_is_whole(tmp_path, file):
    copies = Copies(file, tmp_path, "ours")
    file.write_text(state(2))
    copies.read_current()
    file.write_text(state(7))
    assert Copies(file, tmp_path, "ours").read_last()["serial"] == 7
    assert copies.read_last()["serial"] == 7


def test_without_any_document_there_is_no_last_word(tmp_path, file):
    assert Copies(file, tmp_path, "ours").read_last() is None


class FakeSaver:
    """Notes what would be written; fails as often as it is told to."""

    def __init__(self, failures=0):
        self.saved, self.failures, self.event = [], failures, threading.Event()

    def save(self, document, units, *, is_final):
        assert not is_final
        self.saved.append((document["serial"], tuple(units)))
        self.event.set()
        if self.failures:
            self.failures -= 1
            return dict.fromkeys(units, OSError())
        return {}


def test_a_unit_is_saved_as_soon_as_it_is_complete_and_no_other(tmp_path, file):
    file.write_text(state(3))
    saver = FakeSaver()
    with Checkpoints(Copies(file, tmp_path, "ours"), saver, {"a": 2, "b": 5}) as checkpoints:
        checkpoints.done("a")
        checkpoints.done("b")
        assert not saver.event.wait(1.5)
        checkpoints.done("a")
        assert saver.event.wait(5)
    assert saver.saved == [(3, ("a",))]


def test_a_unit_that_is_not_complete_is_saved_a_while_after_its_change(tmp_path, file, mocker):
    mocker.patch("ngp.runs.joint.checkpoints._AT_MOST_S", 0.2)
    file.write_text(state(3))
    saver = FakeSaver(failures=1)
    with Checkpoints(Copies(file, tmp_path, "ours"), saver, {"b": 5}) as checkpoints:
        checkpoints.done("b")
        assert saver.event.wait(5)
        saver.event.clear()
        assert saver.event.wait(5), "what could not be written is tried again"
    assert {units for _, units in saver.saved} == {("b",)}


def test_what_is_due_waits_for_a_whole_document(tmp_path, file):
    saver = FakeSaver()
    with Checkpoints(Copies(file, tmp_path, "ours"), saver, {"a": 1}) as checkpoints:
        checkpoints.done("a")
        assert not saver.event.wait(1.5)
        file.write_text(state(3))
        assert saver.event.wait(5)
    assert saver.saved[0] == (3, ("a",))


def test_a_state_that_is_hardly_ever_whole_is_read_at_the_moment_at_which_it_is(tmp_path, file):
    """Terraform writes a large state over and over, and each time truncates it first."""
    saver, is_over = FakeSaver(), threading.Event()

    def rewrite():
        for serial in itertools.count(2):
            file.write_text(state(serial)[:-30])
            if is_over.wait(0.45):
                return
            file.write_text(state(serial))
            if is_over.wait(0.05):
                return

    file.write_text(state(1))
    copies = Copies(file, tmp_path, "ours")
    copies.read_current()
    writer = threading.Thread(target=rewrite)
    writer.start()
    with Checkpoints(copies, saver, {"a": 1}) as checkpoints:
        checkpoints.done("a")
        is_saved = saver.event.wait(4)
    is_over.set()
    writer.join()
    assert is_saved
    assert saver.saved[0][0] > 1, "what was whole before lacks the resource"


def test_a_complete_unit_is_looked_at_once_more(tmp_path, file, mocker):
    """Terraform tells of a resource before it writes the state, on a slow disk long before."""
    mocker.patch("ngp.runs.joint.checkpoints._AT_MOST_S", 0.2)
    file.write_text(state(3))
    saver = FakeSaver()
    with Checkpoints(Copies(file, tmp_path, "ours"), saver, {"a": 1}) as checkpoints:
        checkpoints.done("a")
        assert saver.event.wait(5)
        file.write_text(state(4))
        saver.event.clear()
        assert saver.event.wait(5)
        saver.event.clear()
        assert not saver.event.wait(1.5), "once"
    assert saver.saved == [(3, ("a",)), (4, ("a",))]


def test_a_state_that_terraform_could_not_write_is_the_last_word(tmp_path, file):
    file.write_text(state(4)[:50])
    file.with_name("errored.tfstate").write_text(state(6))
    assert Copies(file, tmp_path, "ours").read_last()["serial"] == 6


def test_a_state_that_found_no_room_in_its_root_is_the_last_word(tmp_path, file, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, lineage in (("ngp-state-a", "ours"), ("ngp-state-b", "theirs")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "errored.tfstate").write_text(state(9 if lineage == "theirs" else 7, lineage))
    assert Copies(file, tmp_path, "ours").read_last()["serial"] == 7


def test_what_found_no_room_is_deleted_with_the_joint_files_of_its_plan(tmp_path, file, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name, text in (("a", state(7)), ("b", state(9, "theirs")), ("c", state(9)[:40])):
        (tmp_path / f"ngp-state-{name}").mkdir()
        (tmp_path / f"ngp-state-{name}" / "errored.tfstate").write_text(text)
    checkpoints.remove(file.parent, tmp_path, "ours")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ngp-state-b", "ngp-state-c"]


LEFT = Path("errored.tfstate")


@pytest.mark.parametrize(
    ("serial", "code", "errors", "errored", "expected"),
    [
        (2, 0, (), None, True),
        (2, 1, ("Error: no",), None, True),
        (1, 1, ("Failed to load plan",), None, False),
        (1, 0, (), None, False),
        (2, 137, (), None, False),
        (2, None, (), None, False),
        (2, 1, ("Failed to save state",), None, False),
        (2, 1, ("Failed to save state",), LEFT, True),
    ],
)
def test_the_last_word_of_terraform_is_told_from_a_state_on_the_way(serial, code, errors, errored, expected):
    assert checkpoints.is_final(json.loads(state(serial)), code, errors, errored) is expected
