"""A pool's own loop: what hangs for one command leaves the others their answers."""

import asyncio
import json
import os
import signal
from contextlib import asynccontextmanager, suppress

import pytest

from ngp.pool.server import Pool
from ngp.proxy.limits import Limits


class Lab:
    """A pool in this process, and conversations with it."""

    def __init__(self, workspace, folder):
        self.workspace, self.folder = workspace, folder

    def run(self, work):
        async def both():
            async with asyncio.timeout(30):
                pool = asyncio.ensure_future(Pool(self.workspace, self.folder, Limits(), {}).serve())
                while not (self.workspace / "pool" / "record.json").exists():
                    await asyncio.sleep(0.01)
                found = await work()
                os.kill(os.getpid(), signal.SIGTERM)
                await pool
                return found

        return asyncio.run(both())

    @asynccontextmanager
    async def talk(self, **order):
        reader, writer = await asyncio.open_unix_connection(self.folder / "pool")
        writer.write(json.dumps(order).encode() + b"\n")
        yield reader
        writer.close()

    async def ask(self, **order):
        async with self.talk(**order) as reader:
            assert await reader.readline() == b"{}\n"
            return json.loads(await reader.readline())


@pytest.fixture
def lab(tmp_path, sockets):
    return Lab(tmp_path / ".ngp", sockets)


def test_what_goes_wrong_in_the_pool_itself_is_no_refusal(lab, mocker):
    mocker.patch("ngp.pool.server.Proxies.lease", side_effect=OSError("no space left on device"))

    async def work():
        async with lab.talk(order="serve") as reader:
            return await reader.read()

    assert lab.run(work) == b"{}\n"


def test_another_users_connection_is_answered_nothing(lab, mocker):
    mocker.patch("ngp.pool.server.is_own_peer", return_value=False)

    async def work():
        async with lab.talk(order="status") as reader:
            with suppress(ConnectionResetError):  # it was closed before it was read
                return await reader.read()
            return b""

    assert lab.run(work) == b""
