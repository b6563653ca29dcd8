"""What is left when ngp, the proxy or Terraform ends in the middle: nothing that runs, and nothing that is lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from ngp import processes
from ngp.proxy import session
from ngp.proxy.packages import ProviderPackage, package_hash

FAKE = Path(__file__).parents[2] / "unit" / "proxy" / "fake_provider.py"
REPOSITORY = Path(__file__).parents[3]
# opens a session, attaches, has a provider started and configured, says who runs, and sleeps
OWNER = """
import asyncio, json, sys, time
from pathlib import Path
from ngp.proxy import rpc, session
from ngp.proxy.packages import ProviderPackage
package = ProviderPackage(sys.argv[1], Path(sys.argv[2]), (sys.argv[3],))
environ, cache = json.loads(sys.argv[4]), Path(sys.argv[5])
with session.open_session([package], environ, cache) as door:
    attached = door.attach(Path.cwd(), [])
    address = json.loads(attached.environ[session.VARIABLE])[sys.argv[1]]["Addr"]["String"]
    async def configure():
        await rpc.ask(rpc.channel(address), "/tfplugin6.Provider/ConfigureProvider", b"same")
    asyncio.run(configure())
    print(json.dumps({"proxy": door._line.pid, "socket": address, **door.order(order="status")}), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path):
    sockets = Path(tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp"))
    folder = tmp_path / "package"
    folder.mkdir()
    program = folder / "terraform-provider-fake_v1"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}"\n')
    program.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(sockets)}
    environ["FAKE_LOG"] = str(tmp_path / "log")
    words = ["example.test/ours/fake", str(folder), package_hash(folder), json.dumps(environ), str(tmp_path / "cache")]
    started = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER), *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
        cwd=tmp_path,
    )
    yield started, json.loads(started.stdout.readline())
    started.kill()
    started.communicate()
    assert list(sockets.iterdir()) == []
    shutil.rmtree(sockets)


def ended(pids, within_s=10.0):
    deadline = time.monotonic() + within_s
    while any(map(processes.is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(processes.is_alive, pids))


def test_killed_ngp_leaves_no_process_and_no_socket(owner):
    started, seen = owner
    assert seen["pids"]
    assert Path(seen["socket"]).is_socket()
    started.kill()
    assert ended([seen["proxy"], *seen["pids"]])


def test_killed_proxy_leaves_no_provider(owner):
    _, seen = owner
    os.kill(seen["proxy"], signal.SIGKILL)
    assert ended([seen["proxy"], *seen["pids"]])


def test_ended_session_leaves_nothing(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "terraform-provider-fake_v1").write_text("#!/bin/sh\n")
    (folder / "terraform-provider-fake_v1").chmod(0o755)
    sockets = Path(tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp"))
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(sockets)}
    package = ProviderPackage("example.test/ours/fake", folder, (package_hash(folder),))
    with session.open_session([package], environ, tmp_path / "cache") as door:
        pid = door._line.pid
        (made,) = sockets.iterdir()
        assert made.stat().st_mode & 0o777 == 0o700
        with pytest.raises(session.ProxyError, match="no handshake"):
            door.attach(tmp_path, [])
        assert door.broken
    assert not processes.is_alive(pid)
    assert list(sockets.iterdir()) == []
    sockets.rmdir()


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_a_provider_makes_files_with_the_umask_of_its_run(tmp_path, umask):
    """The proxy's own is strict, for its sockets; what `local_file` writes is for others to read."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "terraform-provider-fake_v1").write_text('#!/bin/sh\n: > "$MADE"\n')
    (folder / "terraform-provider-fake_v1").chmod(0o755)
    package = ProviderPackage("example.test/ours/fake", folder, (package_hash(folder),))
    environ = {"PATH": os.environ["PATH"], "TMPDIR": "/tmp", "MADE": str(tmp_path / "made")}
    before = os.umask(umask)
    try:
        with session.open_session([package], environ, tmp_path / "cache") as door, pytest.raises(session.ProxyError):
            door.attach(tmp_path, [])
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o666 & ~umask


def test_proxy_itself_has_no_credentials_in_its_environment(tmp_path, monkeypatch):
    if not Path("/proc/self/environ").exists():
        pytest.skip("only Linux shows a process's environment as a file")
    (tmp_path / "package").mkdir()
    package = ProviderPackage("example.test/ours/fake", tmp_path / "package", (package_hash(tmp_path / "package"),))
    environ = {"PATH": os.environ["PATH"], "TMPDIR": "/tmp", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    with session.open_session([package], environ, tmp_path / "cache") as door:
        folder = Path(f"/proc/{door._line.pid}")
        assert b"hunter2" not in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
