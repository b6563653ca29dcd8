"""A pool is found by its record, and nothing that somebody else could have laid there is followed."""

import dataclasses
import os
import shutil
import socket
from pathlib import Path

import pytest

from ngp import cache, files
from ngp.daemons import record
from ngp.daemons.record import DaemonRecord
from ngp.pool import client, home, lifetime


@pytest.fixture
def found(tmp_path, sockets):
    made = DaemonRecord(1, str(sockets), cache.program(), "2026-11-24T12:00:00+00:00")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(made.socket))
    record.write(home(tmp_path / ".ngp"), made)
    return tmp_path / ".ngp", made


def test_what_was_written_is_read_and_only_its_own_is_forgotten(found):
    workspace, made = found
    assert record.read(home(workspace)) == made
    record.forget(home(workspace), dataclasses.replace(made, pid=2))
    assert record.read(home(workspace)) == made
    record.forget(home(workspace), made)
    assert record.read(home(workspace)) is None


def test_a_pool_is_ours_until_any_code_or_package_changes(found, tmp_path, monkeypatch):
    _, made = found
    assert made.is_ours
    code, packages = tmp_path / "ngp" / "terraform" / "driver.py", tmp_path / "site-packages"
    for path in (code.parent, packages):
        path.mkdir(parents=True)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "ngp" / "cache.py"))
    monkeypatch.setattr("sys.path", [str(packages)])
    for change in (lambda: code.write_text("x = 1\n"), lambda: (packages / "boto3-99.dist-info").mkdir()):
        cache.program.cache_clear()  # each asks in a process of its own
        started = dataclasses.replace(made, built=cache.program())
        assert started.is_ours
        monkeypatch.setattr("sys.path", [str(packages), str(packages)])  # as the pool's own process may have it
        cache.program.cache_clear()
        assert started.is_ours
        change()
        cache.program.cache_clear()
        assert not started.is_ours
    cache.program.cache_clear()


def test_a_record_that_is_a_link_is_not_read(found):
    workspace, _ = found
    path = home(workspace) / "record.json"
    path.rename(workspace / "elsewhere.json")
    path.symlink_to(workspace / "elsewhere.json")
    assert record.read(home(workspace)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"pid": 1}', '{"pid": 1, "more": 2}'),
        '{"pid": 1, "folder": 3, "built": "", "started": ""}',
    ],
)
def test_a_record_that_makes_no_sense_counts_for_nothing(found, text):
    workspace, _ = found
    (home(workspace) / "record.json").write_text(text)
    assert record.read(home(workspace)) is None


def test_a_folder_that_others_can_enter_is_not_private(found):
    _, made = found
    assert record.is_private(made)
    os.chmod(made.folder, 0o755)  # noqa: PTH101
    assert not record.is_private(made)


def test_a_folder_that_is_a_link_is_not_private(found, tmp_path):
    _, made = found
    link = tmp_path / "ngp-link"
    link.symlink_to(made.folder)
    assert not record.is_private(dataclasses.replace(made, folder=str(link)))


def test_a_socket_that_is_gone_is_not_private(found):
    _, made = found
    made.socket.unlink()
    assert not record.is_private(made)


def test_a_folder_that_is_no_pools_is_never_cleared_away(found, tmp_path):
    workspace, made = found
    other = tmp_path / "ngp-home"
    other.mkdir(mode=0o700)
    (other / "pool").write_text("mine")
    record.write(home(workspace), dataclasses.replace(made, folder=str(other)))
    assert lifetime.stop(workspace) is None
    assert (other / "pool").read_text() == "mine"


def test_a_pools_folder_by_another_name_is_not_private(found, tmp_path):
    _, made = found
    elsewhere = tmp_path / "keys"
    shutil.copytree(made.folder, elsewhere, ignore=shutil.ignore_patterns("pool"))
    made.socket.rename(elsewhere / "pool")
    elsewhere.chmod(0o700)
    assert not record.is_private(dataclasses.replace(made, folder=str(elsewhere)))


def test_only_the_folder_of_a_pool_that_has_ended_is_cleared_away(found):
    workspace, made = found
    with files.lock_folder(Path(made.folder)):
        lifetime.stop(workspace)
        assert record.read(home(workspace)) == made
        assert made.socket.is_socket()
    lifetime.stop(workspace)
    assert record.read(home(workspace)) is None
    assert not Path(made.folder).exists()


@pytest.mark.parametrize("swept", [True, False])
def test_a_pool_that_has_ended_is_not_found_and_nothing_is_said(found, swept):
    workspace, made = found
    notes = []
    with files.lock_folder(Path(made.folder)):
        assert client.find(workspace, {}, "dev", notes.append)
    if swept:
        shutil.rmtree(made.folder)
    assert client.find(workspace, {}, "dev", notes.append) is None
    assert notes == []
