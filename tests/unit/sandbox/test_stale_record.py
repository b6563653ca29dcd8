"""The record of a sandbox that is not there any more, and of one that hangs."""

import errno
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from threading import Event
from types import ModuleType

import pytest

from ngp import processes
from ngp.errors import MissingError, RefusedError, StoppedError
from ngp.sandbox import launcher, server
from ngp.sandbox.server import RunningSandbox, SilentError


@pytest.fixture
def workspace(tmp_path):
    return tmp_path / ".ngp"


@pytest.fixture
def sleeper(tmp_path):
    """A process that answers nobody; its last argument is given."""
    pids = []

    def start(name):
        code = "import time; print('up', flush=True); time.sleep(60)"
        request = processes.ProcessRequest((sys.executable, "-c", code, name), tmp_path, {})
        pids.append(processes.start(request, tmp_path / f"{name}.log"))
        while not (tmp_path / f"{name}.log").read_text():  # its command line can be seen a little after its start
            time.sleep(0.01)
        return pids[-1]

    yield start
    for pid in pids:
        processes.end_group(pid, grace_s=1)


def record(workspace, pid, name="our-name"):
    folder = workspace / "sandbox"
    folder.mkdir(parents=True)
    running = RunningSandbox("http://127.0.0.1:1", pid, 1, "moto", "2026-11-21T10:00:00+00:00", name)
    (folder / "running.json").write_text(json.dumps(asdict(running)))
    return folder


def test_record_of_a_process_that_is_gone_counts_for_nothing(workspace):
    folder = record(workspace, 2**22 - 1)
    assert server.status(workspace) is None
    assert server.stop(workspace) is False
    assert not folder.exists()


def test_process_that_got_the_id_of_ours_is_left_alone(workspace, sleeper):
    pid = sleeper("somebody-else")
    record(workspace, pid)
    assert server.status(workspace) is None
    assert server.stop(workspace) is False
    assert processes.is_alive(pid)


def test_our_process_that_hangs_is_kept_until_somebody_stops_it(workspace, sleeper, monkeypatch):
    """A start in its place would lose what it holds."""
    monkeypatch.setattr(server, "PATIENCE_S", 0.3)
    pid = sleeper("our-name")
    folder = record(workspace, pid)
    for call in (server.status, server.start, server.reset):
        with pytest.raises(SilentError, match="the sandbox does not answer") as caught:
            call(workspace)
        assert caught.value.findings[0].where == f"process {pid}"
    assert (folder / "running.json").is_file()
    assert processes.is_alive(pid)
    assert server.stop(workspace) is True
    assert not processes.is_alive(pid)


def test_a_busy_sandbox_is_waited_for_until_it_answers_or_ngp_is_stopped(workspace, sleeper, mocker):
    record(workspace, sleeper("our-name"))
    answers = iter(["", "", "our-name"])
    mocker.patch.object(server, "_name", side_effect=lambda *_, **__: next(answers, ""))
    assert server.status(workspace, patience_s=20).id == "our-name"
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        server.status(workspace, patience_s=20, stop=stop)


def test_process_that_another_version_of_ngp_started_is_ended(workspace, sleeper):
    pid = sleeper("our-name")
    folder = record(workspace, pid)
    known = json.loads((folder / "running.json").read_text())
    del known["started"]
    (folder / "running.json").write_text(json.dumps({**known, "new": 1}))
    assert server.stop(workspace) is True
    assert not processes.is_alive(pid)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}'])
def test_record_that_cannot_be_read_counts_for_nothing(workspace, text):
    folder = workspace / "sandbox"
    folder.mkdir(parents=True)
    (folder / "running.json").write_text(text)
    assert server.status(workspace) is None
    assert server.stop(workspace) is False


def test_reset_without_a_sandbox_says_how_to_start_one(workspace):
    with pytest.raises(MissingError) as caught:
        server.reset(workspace)
    assert caught.value.findings[0].todo == "ngp sandbox start"


def test_emulator_that_dies_at_once_is_told_with_its_last_words_and_leaves_nothing(workspace, monkeypatch):
    monkeypatch.setattr(server, "launcher", ModuleType("ngp.sandbox.nowhere"))
    begun = time.monotonic()
    with pytest.raises(MissingError, match="No module named ngp.sandbox.nowhere"):
        server.start(workspace)
    assert time.monotonic() - begun < 20
    assert not (workspace / "sandbox").exists()


def test_a_folder_that_no_sandbox_made_is_not_deleted(workspace, tmp_path):
    """.ngp may be a link to a folder in which somebody keeps another `sandbox`."""
    (tmp_path / "home/sandbox").mkdir(parents=True)
    (tmp_path / "home/sandbox/notes").write_text("of somebody")
    workspace.symlink_to(tmp_path / "home")
    with pytest.raises(RefusedError) as caught:
        server.stop(workspace)
    assert caught.value.findings[0].where == str(workspace / "sandbox")
    assert (tmp_path / "home/sandbox/notes").read_text() == "of somebody"


def test_a_server_ends_where_another_one_announces_itself_in_its_place(tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(launcher.os, "kill", lambda pid, number: ended.append((pid, number)))
    announcement = tmp_path / "port"
    announcement.write_text("2")
    launcher._end_with(announcement, "1")
    announcement.unlink()
    launcher._end_with(announcement, "1")
    assert ended == [(os.getpid(), signal.SIGTERM)] * 2


@pytest.mark.parametrize(
    ("number", "times"), [(errno.EMFILE, 3), (errno.EIO, 3), (errno.ENOENT, 1), (errno.ENOTDIR, 1)]
)
def test_a_server_ends_only_where_its_announcement_is_gone(tmp_path, mocker, number, times):
    """With all of its files open it cannot read one."""
    error = OSError(number, os.strerror(number))
    read = mocker.patch.object(launcher.Path, "read_text", side_effect=[*[error] * times, "another"])
    mocker.patch.object(launcher.time, "sleep")
    ended = mocker.patch.object(launcher.os, "kill")
    launcher._end_with(tmp_path / "port", "1")
    assert read.call_count == (1 if times == 1 else times + 1)
    ended.assert_called_once_with(os.getpid(), signal.SIGTERM)
