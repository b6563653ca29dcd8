"""`--via ssm` and `--via instance-connect` with doubles of AWS's side, which nobody can have here, and a real sshd.

`tests/doubles/session_manager.py` doubles the AWS CLI and its plugin, and says what it is held to. The double of
SendSSHPublicKey writes the key where that sshd looks for it.
"""

import contextlib
import getpass
import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from ngp.aws.session import Session
from ngp.errors import MissingError, NgpError, UsageError
from ngp.hosts import copying, instance_connect, openssh, reach, remote, session_manager, spooling
from ngp.hosts.logins import Login
from ngp.hosts.trust import Trust
from tests.doubles import session_manager as session_manager_double
from tests.integration.hosts.sshds import free_port, sshd


class Settings:
    def __init__(self, environ):
        self.environ = environ


@pytest.fixture
def programs(farm, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", session_manager_double.lay(tmp_path, "127.0.7.1"))
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
    argv = openssh.login(host, ["echo by ssh"], login)
    assert f"ProxyCommand=aws {expected.strip()}" in argv
    assert subprocess.run(argv, capture_output=True, text=True).stdout == "by ssh\n"
    session_manager_double.hold_to_model(session_manager.proxy(host, session, programs))
    (tmp_path / "new").write_bytes(os.urandom(300_000))
    copied = copying.parse(["new", f":{tmp_path}/there"], tmp_path, 1)
    [result] = copying.copy_all([host], copied, remote.Options(login), lines.append)
    assert (result.problem, (tmp_path / "there").read_bytes()) == ("", (tmp_path / "new").read_bytes())


def test_session_manager_counts_before_a_jump_host_of_ssh_config(farm, programs, tmp_path):
    """For asyncssh as for ssh."""
    session = Session({"AWS_REGION": "eu-central-1"})
    host = farm.host(99, name="i-0123456789abcdef0")
    config = tmp_path / "ssh_config"
    config.write_text(f"{farm.config.read_text()}Host {host.address}\n  ProxyJump nobody@127.0.0.1:1\n")
    way = Login(
        Trust(tmp_path, tmp_path), config=config, proxy=lambda one: session_manager.proxy(one, session, programs)
    )
    [result] = remote.run_all([host], "true", remote.Options(way), lambda _: None)
    assert (result.exit, result.problem) == (0, "")
    assert subprocess.run(openssh.login(host, ["true"], way)).returncode == 0


def test_what_is_piped_in_goes_through_session_manager_whole(farm, programs, tmp_path):
    """The plugin ends with its own stdin, so nothing of ngp's may close that before sshd has answered."""
    session, data = Session({"AWS_REGION": "eu-central-1"}), os.urandom(500_000)
    (tmp_path / "in").write_bytes(data)
    host = farm.host(99, name="i-0123456789abcdef0")
    login = replace(farm.options(tmp_path).login, proxy=lambda one: session_manager.proxy(one, session, programs))
    lines = []
    with (tmp_path / "in").open("rb") as file, spooling.Spool(file.fileno(), tmp_path) as spool:
        [result] = remote.run_all([host], "sleep 1; sha256sum", remote.Options(login, stdin=spool), lines.append)
    assert result.is_good, result.problem
    assert hashlib.sha256(data).hexdigest() in str(lines)


def test_what_session_manager_needs_is_told_before(tmp_path):
    session = Session({"AWS_REGION": "eu-central-1"})
    nowhere = Settings({"PATH": str(tmp_path)})
    host = remote.Host("a", "i-0123", "qa")
    with pytest.raises(MissingError, match="aws and session-manager-plugin"):
        session_manager.proxy(host, session, nowhere)
    with pytest.raises(UsageError, match="not an EC2 instance"):
        session_manager.proxy(remote.Host("a", "metal; rm -rf", "qa"), session, nowhere)
    with pytest.raises(UsageError, match="sandbox"):
        session_manager.proxy(host, Session({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}), nowhere)


INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def instance(farm, tmp_path):
    """A machine whose sshd lets nobody in, and a push that lets the owner of a key in for one login."""
    authorized, pushed = tmp_path / "authorized", []
    authorized.touch()

    def push(host, *words):
        *_, user, public = words
        pushed.append((host.id, user))
        authorized.write_text(public + "\n")

    host = farm.host(210, name=INSTANCE, port=free_port())
    with sshd(tmp_path, [host.address], host.port, farm.folder / "host", authorized):
        yield host, push, pushed, authorized


@contextlib.contextmanager
def pushing(farm, tmp_path, push):
    with instance_connect.fresh_key(tmp_path / "keys", Settings(dict(os.environ)), push) as key:
        yield replace(farm.options(tmp_path).login, key=key)


def test_a_fresh_key_is_pushed_before_each_login_and_deleted(farm, instance, tmp_path):
    host, push, pushed, _ = instance
    (tmp_path / "new").write_text("new")
    with pushing(farm, tmp_path, push) as login:
        private = login.key.private
        assert private.parent.stat().st_mode & 0o777 == 0o700
        options = remote.Options(login)
        lines = []
        [ran] = remote.run_all([host], "echo here", options, lines.append)
        [copied] = copying.copy_all([host], copying.parse(["new", f":{tmp_path}/there"], tmp_path, 1), options, print)
        assert (ran.problem, copied.problem, (tmp_path / "there").read_text()) == ("", "", "new")
        argv = openssh.login(host, ["echo here"], login)
        assert argv[argv.index("-i") + 1] == str(private)
        assert "IdentitiesOnly=yes" in argv
        assert subprocess.run(argv, capture_output=True, text=True).stdout == "here\n"
    assert pushed == [(INSTANCE, getpass.getuser())] * 2
    assert list((tmp_path / "keys").iterdir()) == []


def test_no_other_key_is_tried_beside_the_pushed_one(farm, instance, tmp_path):
    host, push, _, authorized = instance
    authorized.write_text((farm.folder / "user.pub").read_text())  # the key of ssh_config would be let in
    with pushing(farm, tmp_path, lambda *_: None) as login:
        [result] = remote.run_all([host], "true", remote.Options(login), print)
    assert "EC2 Instance Connect" in result.problem
    assert "package ec2-instance-connect" in result.todo


def test_a_push_that_aws_refuses_is_told_for_its_host(farm, instance, tmp_path):
    host, *_ = instance

    def push(*_):
        raise NgpError("no such instance", todo="look at it")

    with pushing(farm, tmp_path, push) as login:
        [result] = remote.run_all([host], "true", remote.Options(login), print)
    assert (result.exit, result.todo) == (None, "look at it")
    assert "no such instance" in result.problem


def test_hosts_that_instance_connect_cannot_reach_are_refused_before():
    session, host = Session({"AWS_REGION": "eu-central-1"}), remote.Host("a", INSTANCE, "qa")
    instance_connect.require(host, session, "admin")
    with pytest.raises(UsageError, match="not an EC2 instance"):
        instance_connect.require(replace(host, id="metal"), session, "admin")
    with pytest.raises(UsageError, match="no user is set"):
        instance_connect.require(host, session, "")
    with pytest.raises(UsageError, match="sandbox"):
        instance_connect.require(host, None, "admin")


@pytest.mark.parametrize(("words", "code"), [(("exec", "-n"), 1), (("ssh",), 3)])
def test_commands_go_in_by_instance_connect(farm, instance, platform, ngp, monkeypatch, words, code):
    host, push, pushed, _ = instance
    text = f"environment: qa, address: {host.address}, port: {host.port}, host_keys: ['{farm.host_key}']"
    (platform / "hosts.yaml").write_text(f"hosts:\n  {INSTANCE}: {{{text}}}\n")
    monkeypatch.setattr(reach.Reach, "session", lambda *_: Session({"AWS_REGION": "eu-central-1"}))
    monkeypatch.setattr(instance_connect, "push", push)
    way = ("--via", "instance-connect", "--user", getpass.getuser())
    done = ngp.call("host", *words, "qa", *way, "--", "exit 3")
    assert done.exit_code == code, done.stderr
    assert pushed == [(INSTANCE, getpass.getuser())]
    assert not list(Path(ngp.cwd / ".ngp/hosts").glob("key-*"))


@pytest.fixture
def stranger(farm):
    """A machine that only known_hosts files can vouch for."""
    return replace(farm.host(1), host_keys=())


def known_by(farm, tmp_path, text):
    """A login whose ssh_config has a UserKnownHostsFile."""
    config = tmp_path / "ssh_config"
    config.write_text(f"UserKnownHostsFile {text}\n{farm.config.read_text()}")
    return replace(farm.options(tmp_path).login, config=config)


@pytest.mark.parametrize(
    ("text", "code"), [("{}/missing {}/known", 0), ("{}/%h", 0), ("none", None), ("/dev/null", None), ("{}/%C", None)]
)
def test_exec_and_ssh_agree_on_the_files_that_ssh_config_names(farm, stranger, tmp_path, text, code):
    for name in ("known", stranger.address):
        (tmp_path / name).write_text(f"[{stranger.address}]:{farm.port} {farm.host_key}\n")
    login = known_by(farm, tmp_path, text.format(tmp_path, tmp_path))
    [result] = remote.run_all([stranger], "true", remote.Options(login), print)
    assert result.exit == code, result
    shown = subprocess.run(openssh.login(stranger, ["true"], login), capture_output=True, text=True)
    assert shown.returncode == (255 if code is None else code), shown.stderr


def test_a_host_that_only_the_usual_file_knows_is_asked_about(farm, stranger, tmp_path):
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(f"[{stranger.address}]:{farm.port} {farm.host_key}\n")
    login = known_by(farm, tmp_path, "none")
    [result] = remote.run_all([stranger], "true", remote.Options(login), print)
    assert "host key is not known" in result.problem
    vouching = replace(login, trust=replace(login.trust, witness=lambda host: (farm.host_key,)))
    [result] = remote.run_all([stranger], "true", remote.Options(vouching), print)
    assert result.is_good, result.problem


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--via", "ssh"), 1)])
def test_a_tag_makes_session_manager_the_way_and_the_line_another(
    farm, programs, platform, ngp, tmp_path, monkeypatch, words, code
):
    row = f"environment: qa, address: 127.0.7.99, port: {farm.port}, host_keys: ['{farm.host_key}']"
    text = f"hosts:\n  {INSTANCE}: {{{row}, tags: {{'ngp:via': ssm}}}}\n"
    (platform / "hosts.yaml").write_text(text)
    monkeypatch.setattr(reach.Reach, "session", lambda *_: Session({"AWS_REGION": "eu-central-1"}))
    done = ngp.call("host", "exec", "-n", "qa", "-F", str(farm.config), *words, "--", "true")
    assert done.exit_code == code, done.stderr
    assert ((tmp_path / "told").exists(), "through Session Manager" in done.stderr) == (code == 0, code == 0)
