"""The last copy of a state that Terraform could not write: it is kept somewhere, or nothing claims that it is."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from ngp import files
from ngp.terraform import rescue

STATE = json.dumps({"version": 4, "serial": 7})


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root, and a temporary folder of the system that is the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def no_room(monkeypatch):
    """`no_room(folder)`: nothing can be written below it."""
    write = files.write

    def full(folder):
        def fail(path, *arguments, **named):
            if Path(path).is_relative_to(folder):
                raise OSError("no space left on device")
            write(path, *arguments, **named)

        monkeypatch.setattr(files, "write", fail)

    return full


def test_what_terraform_left_whole_is_the_copy(root):
    (root / rescue.NAME).write_text(STATE)
    assert rescue.save(root, '{"printed": 1}') == root / rescue.NAME
    assert (root / rescue.NAME).read_text() == STATE


@pytest.mark.parametrize("left", [None, "", '{"version": 4, "ser', "[]"])
def test_what_terraform_printed_takes_the_place_of_no_file_or_half_of_one(root, left):
    if left is not None:
        (root / rescue.NAME).write_text(left)
    assert rescue.save(root, STATE) == root / rescue.NAME
    assert (root / rescue.NAME).read_text() == STATE
    assert (root / rescue.NAME).stat().st_mode & 0o777 == 0o600, "a state holds secrets"


def test_there_is_no_copy_where_terraform_left_and_printed_nothing(root):
    (root / rescue.NAME).write_text("")
    assert rescue.save(root, "") is None


def test_a_full_disk_sends_the_state_elsewhere_where_it_is_found(root, no_room):
    no_room(root)
    kept = rescue.save(root, STATE)
    assert kept.read_text() == STATE
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert rescue.elsewhere() == [kept]


def test_no_room_anywhere_leaves_no_folder_and_no_claim(root, no_room):
    no_room(root.parent)
    assert rescue.save(root, STATE) is None
    assert list((root.parent / "tmp").iterdir()) == []


def test_only_copies_of_this_user_in_real_folders_are_found(root, no_room, monkeypatch):
    no_room(root)
    kept = rescue.save(root, STATE)
    (root.parent / "tmp" / "ngp-state-link").symlink_to(kept.parent)
    assert rescue.elsewhere() == [kept]
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert rescue.elsewhere() == []


def test_a_temporary_folder_that_is_gone_is_no_place(root, no_room):
    no_room(root)
    (root.parent / "tmp").rmdir()
    assert rescue.save(root, STATE) is None
