"""The fork server goes on whatever a request holds, and says nothing where the client must run the command itself."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import ngp
from ngp.daemons import client, sockets

WAIT_S = 20
CODE = 7
_SERVER = f"""
import sys
from pathlib import Path
from ngp import cache
from ngp.daemons import fork_server
fork_server.serve(Path(sys.argv[1]), fork_server.Program(cache.program(), lambda: {CODE}))
"""


@pytest.fixture(scope="module")
def folder():
    """The folder of a server whose every command ends with CODE."""
    made = sockets.make_folder({})
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(made)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(ngp.__file__).parents[1])},
    )
    assert server.stdout.readline() == "ready\n"
    yield made
    server.stdin.close()
    assert server.wait(WAIT_S) == 0
    server.stdout.close()
    shutil.rmtree(made)


@pytest.fixture
def request_of(tmp_path):
    """A request that the server runs, with some of its fields changed."""

    def make(**changed):
        usual = {
            "argv": ["graph", "dev"],
            "environ": {},
            "code": str(Path(ngp.__file__).parent),
            "encodings": ["utf-8"] * 3,
            "ignored": [],
            "umask": 0o077,
            "cwd": str(tmp_path),
        }
        return json.dumps({**usual, **changed}).encode()

    return make


def ask(folder, request):
    """What the server says to a request after its greeting: all lines until it closes the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to, open(os.devnull, "r+") as null:  # noqa: PTH123
        to.settimeout(WAIT_S)
        to.connect(str(folder / client.SOCKET))
        assert to.recv(1) == client.GREETING
        socket.send_fds(to, [b"!"], [null.fileno()] * 3)
        to.sendall(request + b"\n")
        return to.makefile().read().splitlines()


def test_a_command_is_run_by_a_process_of_its_own(folder, request_of):
    pid, code = ask(folder, request_of())
    assert int(pid) > 1
    assert int(code) == CODE


@pytest.mark.parametrize(
    "changed",
    [{"argv": ["plan", 1]}, {"argv": 1}, {"argv": {}}, {"environ": None}, {"code": 1}],
    ids=lambda changed: json.dumps(changed),
)
def test_a_malformed_request_is_not_run_and_the_next_is_served(folder, request_of, changed):
    assert ask(folder, request_of(**changed)) == []
    assert ask(folder, request_of())[1:] == [str(CODE)]


@pytest.mark.parametrize(
    "request_", [b"", b"[]", b"1", b"no JSON", b"\xff", b"[" * 100_000], ids=lambda each: repr(each[:8])
)
def test_what_is_no_request_is_not_run_and_the_next_is_served(folder, request_of, request_):
    assert ask(folder, request_) == []
    assert ask(folder, request_of())[1:] == [str(CODE)]


@pytest.mark.parametrize(
    "changed",
    [{"cwd": "/nowhere"}, {"encodings": ["none"]}, {"environ": {"A": 1}}],
    ids=lambda changed: json.dumps(changed),
)
def test_a_command_that_could_not_start_has_neither_process_nor_exit_code(folder, request_of, changed):
    """An exit code alone would be read as the number of the process that signals go to."""
    assert ask(folder, request_of(**changed)) == []
