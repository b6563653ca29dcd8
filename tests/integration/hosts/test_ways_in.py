"""`--via ssm` with a double of the AWS CLI and its plugin, for nobody can have a real Session Manager here.

The double gets the documented command line of `aws ssm start-session` and joins its streams with a real sshd.
"""

import os
import sys

import pytest

from ngp.aws.session import Session
from ngp.errors import MissingError, UsageError
from ngp.hosts import openssh, remote, session_manager
from ngp.hosts.logins import Login
from ngp.hosts.trust import Trust

DOUBLE = """#!{python}
# a double of the AWS CLI
import os, socket, sys, threading
open({told!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
to = socket.create_connection(("127.0.7.1", {port}))
def up():
    while piece := os.read(0, 65536):
        to.sendall(piece)
    to.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while piece := to.recv(65536):
    os.write(1, piece)
"""


class Settings:
    def __init__(self, environ):
        self.environ = environ


@pytest.fixture
def programs(farm, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    text = DOUBLE.format(python=sys.executable, told=str(tmp_path / "told"), port=farm.port)
    for name in ("aws", "session-manager-plugin"):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Settings(dict(os.environ))


def test_commands_go_through_the_session_manager(farm, programs, tmp_path):
    session = Session({"AWS_REGION": "eu-central-1"}, profile="shop")
    host = farm.host(99, name="i-0123456789abcdef0")  # nobody listens at this address
    login = Login(
        Trust(tmp_path, tmp_path), config=farm.config, proxy=lambda one: session_manager.proxy(one, session, programs)
    )
    lines = []
    [result] = remote.run_all([host], "echo here", remote.Options(login), lines.append)
    assert result.is_good, result.problem
    expected = (
        f"ssm start-session --target i-0123456789abcdef0 --document-name AWS-StartSSHSession "
        f"--parameters portNumber={farm.port} --region eu-central-1 --profile shop\n"
    )
    assert (tmp_path / "told").read_text() == expected
    argv = openssh.login(host, ["true"], login)
    assert f"ProxyCommand=aws {expected.strip()}" in argv


def test_what_session_manager_needs_is_told_before(tmp_path):
    session = Session({"AWS_REGION": "eu-central-1"})
    nowhere = Settings({"PATH": str(tmp_path)})
    host = remote.Host("a", "i-0123", "qa")
    with pytest.raises(MissingError, match="aws and session-manager-plugin"):
        session_manager.proxy(host, session, nowhere)
    with pytest.raises(UsageError, match="no instance"):
        session_manager.proxy(remote.Host("a", "metal; rm -rf", "qa"), session, nowhere)
    with pytest.raises(UsageError, match="sandbox"):
        session_manager.proxy(host, Session({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}), nowhere)
