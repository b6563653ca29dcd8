"""A pool of a scratch platform, and commands in its place: what starts it is what `ngp pool start` calls."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ngp import processes
from ngp.pool import client, lifetime
from ngp.proxy import rpc, session
from ngp.proxy.limits import Limits
from ngp.proxy.packages import ProviderPackage, package_hash

ROOT = Path(__file__).parents[3]
FAKE = ROOT / "tests" / "unit" / "proxy" / "fake_provider.py"


class PoolLab:
    """A workspace whose pool keeps its sockets in a folder that must be empty at the end."""

    def __init__(self, workspace: Path, sockets: Path) -> None:
        self.workspace, self.sockets = workspace, sockets
        self.environ = {name: os.environ[name] for name in ("PATH", "HOME")} | {"TMPDIR": str(sockets)}
        self.notes: list[str] = []

    def start(self, **limits):
        return lifetime.start(self.workspace, self.environ, Limits(**limits))

    def stop(self):
        return lifetime.stop(self.workspace)

    def status(self):
        return lifetime.status(self.workspace)

    def client(self, label="dev"):
        return client.find(self.workspace, self.environ, label, self.notes.append)


def ended(pids, within_s=15.0):
    """Whether processes have ended in time."""
    deadline = time.monotonic() + within_s
    while any(map(processes.is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(processes.is_alive, pids))


@pytest.fixture
def pool(tmp_path):
    sockets = Path(tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp"))
    lab = PoolLab(tmp_path / ".ngp", sockets)
    lab.ended = ended
    yield lab
    lab.stop()
    left = [*sockets.iterdir()]
    shutil.rmtree(sockets)
    assert left == []


class Fake:
    """The fake provider of the unit tests as a package, and Terraform's part in a few calls."""

    def __init__(self, path: Path, environ) -> None:
        self.cache = path / "cache"
        self.environ = environ | {"PYTHONPATH": str(ROOT), "FAKE_LOG": str(path / "log")}
        folder = path / "package"
        folder.mkdir()
        program = folder / "terraform-provider-aws_v1"  # whose processes may be shared between roots
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}"\n')
        program.chmod(0o755)
        self.package = ProviderPackage("example.test/hashicorp/aws", folder, (package_hash(folder),))

    def session(self, way):
        return way.open_session([self.package], self.environ, self.cache)

    def configure(self, opened):
        """Plan in a root: a connection that is configured and closed; returns the pids of the session's providers."""
        attached = opened.attach(self.cache, [])
        entries = json.loads(attached.environ[session.VARIABLE])
        asyncio.run(self._configure(entries[self.package.address]["Addr"]["String"]))
        pids = opened.order(order="status")["pids"]
        opened.detach(attached)
        return pids

    async def _configure(self, address):
        channel = rpc.channel(address)
        await rpc.ask(channel, "/tfplugin6.Provider/ConfigureProvider", b"same")
        channel.close()
        await asyncio.sleep(0.05)


@pytest.fixture
def fake(tmp_path, pool):
    return Fake(tmp_path, pool.environ)
