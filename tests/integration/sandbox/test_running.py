"""A sandbox from start to stop: one for all, alone on loopback, nothing left behind."""

import json
import os
import shutil
import signal
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ngp import processes
from ngp.aws import access
from ngp.aws.session import Session
from ngp.errors import UsageError
from ngp.sandbox import server

pytestmark = pytest.mark.sandbox
ACCOUNT = "123456789012"


@pytest.fixture
def workspace(tmp_path):
    yield tmp_path / ".ngp"
    server.stop(tmp_path / ".ngp")


def session(running, account=ACCOUNT):
    return Session(access.sandbox({}, running.url, "eu-central-1", account))


def modes(folder):
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_two_that_start_at_once_get_the_same_sandbox(workspace):
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: server.start(workspace), range(4)))
    assert len(found) == 1
    running = found.pop()
    assert server.status(workspace) == running
    assert server.start(workspace) == running

    mode = modes(workspace / "sandbox")
    assert mode["."] == 0o700
    assert mode["running.json"] == 0o600

    with pytest.raises(UsageError, match="already running on port"):
        server.start(workspace, port=running.port + 1)


def test_sandbox_sees_nothing_of_the_shell_and_is_alone_on_loopback(workspace):
    shell = dict(os.environ) | {"AWS_PROFILE": "production", "AWS_ACCESS_KEY_ID": "AKIAREAL", "SECRET": "s3cr3t"}
    running = server.start(workspace, shell)
    held = Path(f"/proc/{running.pid}/environ")
    if held.exists():
        for secret in ("production", "AKIAREAL", "s3cr3t"):
            assert secret not in held.read_text()
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with pytest.raises(OSError), socket.create_connection((address, running.port), timeout=1):  # noqa: PT011
            pass


def test_stop_leaves_no_process_and_no_file(workspace):
    before = set(Path("/tmp").iterdir())  # noqa: S108
    running = server.start(workspace)
    assert session(running).account_id() == ACCOUNT
    assert server.stop(workspace) is True
    assert not processes.is_alive(running.pid)
    assert [path.name for path in workspace.iterdir()] == ["sandbox.lock"]
    assert not [path for path in set(Path("/tmp").iterdir()) - before if "moto" in path.name or path.name == "data"]  # noqa: S108
    assert server.status(workspace) is None
    assert server.stop(workspace) is False


def test_sandbox_that_was_killed_is_started_anew(workspace):
    first = server.start(workspace)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert server.status(workspace) is None
    second = server.start(workspace)
    assert second.id != first.id
    assert session(second).account_id() == ACCOUNT


def test_sandbox_whose_folder_was_deleted_ends_by_itself(workspace):
    running = server.start(workspace)
    shutil.rmtree(workspace)
    deadline = time.monotonic() + 20
    while processes.is_alive(running.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes.is_alive(running.pid)


def test_reset_empties_it_and_keeps_its_address(workspace):
    running = server.start(workspace)
    session(running).call(
        "s3", "create_bucket", Bucket="full", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    assert server.reset(workspace) == running
    assert session(running).call("s3", "list_buckets")["Buckets"] == []


def test_port_that_is_taken_is_told_and_leaves_nothing(workspace):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} is taken"):
            server.start(workspace, port=port)
    assert not (workspace / "sandbox").exists()
    assert server.start(workspace, port=port).port == port


@pytest.mark.usefixtures("own_sandbox")
def test_commands_start_show_and_stop_it(ngp, platform):
    shutil.rmtree(platform / "environments", ignore_errors=True)
    write_environment(platform, "dev", "210987654321")
    assert ngp.run("sandbox", "env").exit_code == 69
    started = ngp.run("sandbox", "start", "--json")
    assert started.exit_code == 0
    facts = json.loads(started.stdout)
    assert ngp.run("sandbox", "start", "--json").stdout == started.stdout
    shown = json.loads(ngp.run("sandbox", "status", "--json").stdout)
    assert shown == facts | {"schema": "ngp.sandbox.status/1"}

    env = json.loads(ngp.run("sandbox", "env", "--json").stdout)["export"]
    assert env == access.sandbox(dict(os.environ), facts["url"], "eu-central-1", "210987654321")
    assert f"export AWS_ENDPOINT_URL={facts['url']}" in ngp.run("sandbox", "env").stdout.splitlines()
    assert Session(env).account_id() == "210987654321"

    write_environment(platform, "stage", "123456789012")
    assert ngp.run("sandbox", "env").exit_code == 64
    assert "AWS_ACCESS_KEY_ID=123456789012" in ngp.run("sandbox", "env", "stage").stdout

    assert "emptied" in ngp.run("sandbox", "reset").stderr
    assert json.loads(ngp.run("sandbox", "stop", "--json").stdout)["stopped"] is True
    assert not processes.is_alive(facts["pid"])
    assert "not running" in ngp.run("sandbox", "status").stdout


def write_environment(platform, name, account, target="sandbox"):
    folder = platform / "environments" / name
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text(
        f'target: {target}\naccount: "{account}"\nregion: eu-central-1\ndomain: demo.example\nunits: {{}}\n'
    )
