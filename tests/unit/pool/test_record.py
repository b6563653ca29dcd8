"""A pool is found by its record, and nothing that somebody else could have laid there is followed."""

import dataclasses
import os

import pytest

from ngp.pool import record
from ngp.pool.record import Record


@pytest.fixture
def found(tmp_path):
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o700)
    (folder / "pool").touch()
    made = Record(1, str(folder), record.built(), "2026-11-24T12:00:00+00:00")
    record.write(tmp_path / ".ngp", made)
    return tmp_path / ".ngp", made


def test_what_was_written_is_read_and_only_its_own_is_forgotten(found):
    workspace, made = found
    assert record.read(workspace) == made
    record.forget(workspace, dataclasses.replace(made, pid=2))
    assert record.read(workspace) == made
    record.forget(workspace, made)
    assert record.read(workspace) is None


def test_a_record_that_is_a_link_is_not_read(found):
    workspace, _ = found
    path = record.home(workspace) / "record.json"
    path.rename(workspace / "elsewhere.json")
    path.symlink_to(workspace / "elsewhere.json")
    assert record.read(workspace) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1}', '{"pid": 1, "more": 2}'])
def test_a_record_that_makes_no_sense_counts_for_nothing(found, text):
    workspace, _ = found
    (record.home(workspace) / "record.json").write_text(text)
    assert record.read(workspace) is None


def test_a_folder_that_others_can_enter_is_not_private(found):
    _, made = found
    assert record.is_private(made)
    os.chmod(made.folder, 0o755)  # noqa: PTH101
    assert not record.is_private(made)


def test_a_folder_that_is_a_link_is_not_private(found, tmp_path):
    _, made = found
    link = tmp_path / "link"
    link.symlink_to(made.folder)
    assert not record.is_private(dataclasses.replace(made, folder=str(link)))


def test_a_socket_that_is_gone_is_not_private(found):
    _, made = found
    made.socket.unlink()
    assert not record.is_private(made)
