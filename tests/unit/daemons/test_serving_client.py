"""What a command hands to the fork server: nothing unless the server runs such commands, and answers."""

import json
import os
import select
import shutil
import socket
import sys
from types import SimpleNamespace

import pytest

from ngp.daemons import client, sockets

WAIT_S = 5


@pytest.fixture
def server(tmp_path):
    """A listening socket that nobody accepts from, and the record that leads to it."""
    folder = sockets.make_folder({})
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"folder": str(folder)}))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / client.SOCKET))
        listener.listen(1)
        yield SimpleNamespace(record=str(record), listener=listener)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("line", "environ", "is_served"),
    [
        ("plan dev", {}, True),
        ("plan dev --out change.bundle", {}, False),  # it may sign: ssh-keygen asks at the terminal
        ("plan dev --out=change.bundle", {}, False),
        ("plan dev", {"NGP_OUT": "change.bundle"}, False),
        ("apply dev", {}, False),
        ("pool stop", {}, False),
        ("-C . plan dev", {}, False),
        ("", {}, False),
    ],
)
def test_fork_server_runs_what_changes_nothing_and_asks_nobody(line, environ, is_served):
    assert client.is_served(line.split(), environ) is is_served


@pytest.mark.parametrize("line", ["apply dev", "pool stop", "plan dev --out change.bundle"])
def test_the_server_learns_nothing_of_a_command_that_it_does_not_run(server, line):
    assert client.run(server.record, line.split()) is None
    assert not select.select([server.listener], [], [], 0)[0], "the client has connected"


def test_the_server_learns_nothing_of_a_command_whose_variables_keep_it_here(server, monkeypatch):
    monkeypatch.setenv("NGP_OUT", "change.bundle")
    assert client.run(server.record, ["plan", "dev"]) is None
    assert not select.select([server.listener], [], [], 0)[0], "the client has connected"


def test_a_silent_server_keeps_no_stream_open(server, monkeypatch):
    """Descriptors on their way to a server that never takes them stay open, and whoever reads a pipe reads for ever."""
    monkeypatch.setattr(client, "_CONNECT_S", 0.1)
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, stream)
        assert client.run(server.record, ["plan", "dev"]) is None
    assert select.select([server.listener], [], [], 0)[0], "the client has not connected"
    with os.fdopen(reader, "rb") as end:
        assert select.select([end], [], [], WAIT_S)[0], "the pipe is still open"
        assert end.read() == b""
