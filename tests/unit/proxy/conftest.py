"""A proxy over a fake provider, and clients that speak to it as Terraform does."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ngp.proxy import rpc
from ngp.proxy.packages import ProviderPackage, package_hash
from ngp.proxy.sealed_store import open_store
from ngp.proxy.server import AttachRequest, Proxy

FAKE = Path(__file__).with_name("fake_provider.py")
REPOSITORY = Path(__file__).parents[3]
SERVICE = "/tfplugin6.Provider/"


class Bench:
    """A package of the fake provider, a private folder for sockets, and what the provider has noted."""

    def __init__(self, path: Path, sockets: Path) -> None:
        self.path, self.sockets = path, sockets
        self.log = path / "log"
        self.cache = path / "cache"
        self.environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "FAKE_LOG": str(self.log)}
        self.package = self.pack("ours/fake")

    def share(self):
        """Let the fake stand in the place of one whose processes may be shared between roots."""
        self.package = self.pack("hashicorp/aws")

    def pack(self, source):
        """A package of the fake provider by this name."""
        kind = source.rpartition("/")[2]
        folder = self.path / "packages" / kind
        folder.mkdir(parents=True)
        program = folder / f"terraform-provider-{kind}_v1"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}"\n')
        program.chmod(0o755)
        return ProviderPackage(f"example.test/{source}", folder, (package_hash(folder),))

    @asynccontextmanager
    async def proxy(self, *others):
        folder = Path(tempfile.mkdtemp(dir=self.sockets))
        made = Proxy([self.package, *others], self.environ, folder, open_store(self.cache))
        await made.open()
        try:
            yield made
        finally:
            made.end()
            await asyncio.sleep(0)

    @asynccontextmanager
    async def terraform(self, proxy, *, root=None, texts=(), **request):
        """A Terraform process that is served; gives a function that opens a connection."""
        number, entries = await proxy.attach(AttachRequest(root or self.path, tuple(texts), **request))
        (entry,) = entries.values()
        opened = []

        def connect():
            opened.append(rpc.channel(entry["Addr"]["String"]))
            return Client(opened[-1])

        try:
            yield connect
        finally:
            for channel in opened:
                channel.close()
            await asyncio.sleep(0.05)
            await proxy.detach(number, "")

    def notes(self, method=""):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [line.split(" ", 2) for line in lines]
        return [one for one in found if not method or one[1] == method]


class Client:
    def __init__(self, channel):
        self.channel = channel

    async def ask(self, method, request=b""):
        return await rpc.ask(self.channel, SERVICE + method, request)

    async def environ(self):
        return json.loads(await self.ask("CallFunction"))


@pytest.fixture
def bench(tmp_path):
    sockets = Path(tempfile.mkdtemp(prefix="ngp-test-", dir="/tmp"))  # a unix socket's path is short
    yield Bench(tmp_path, sockets)
    shutil.rmtree(sockets, ignore_errors=True)
