"""What belongs to this user alone, and what only looks like it."""

import os
from pathlib import Path

import pytest

from ngp.daemons import peers


def test_a_connection_of_another_user_is_not_ours(mocker):
    connection = mocker.Mock()
    connection.getsockopt.return_value = b"\1\0\0\0" + (os.getuid() + 1).to_bytes(4, "little") + b"\0\0\0\0"
    assert not peers.is_own_peer(connection)
    connection.getsockopt.return_value = b"\1\0\0\0" + os.getuid().to_bytes(4, "little") + b"\0\0\0\0"
    assert peers.is_own_peer(connection)


def test_a_folder_is_private_if_nobody_else_can_enter_it(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    assert peers.is_private_folder(folder)
    folder.chmod(0o710)
    assert not peers.is_private_folder(folder)
    assert peers.is_own_folder(folder)


@pytest.mark.parametrize("check", [peers.is_own_folder, peers.is_private_folder])
def test_links_and_files_are_no_folders_and_another_users_is_not_ours(tmp_path, monkeypatch, check):
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "file").touch(mode=0o600)
    assert not check(tmp_path / "link")
    assert not check(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        check(tmp_path / "none")
    monkeypatch.setattr(os, "getuid", lambda: os.stat(folder).st_uid + 1)  # noqa: PTH116
    assert not check(folder)


def test_only_this_users_own_files_are_read(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"content")
    (tmp_path / "link").symlink_to(file)
    assert peers.read_own(file) == b"content"
    assert peers.read_own(tmp_path / "link") is None
    assert peers.read_own(tmp_path / "none") is None
    monkeypatch.setattr(os, "getuid", lambda: os.stat(file).st_uid + 1)  # noqa: PTH116
    assert peers.read_own(file) is None


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_not_read_and_costs_no_descriptor(tmp_path, make):
    make(tmp_path / "record.json")
    before = _descriptors()
    assert peers.read_own(tmp_path / "record.json") is None
    assert _descriptors() == before


def test_another_users_file_costs_no_descriptor(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    before = _descriptors()
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "file").stat().st_uid + 1)
    assert peers.read_own(tmp_path / "file") is None
    assert _descriptors() == before


def _descriptors():
    return len([*Path("/dev/fd").iterdir()])
