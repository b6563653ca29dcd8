"""The pool's server: a private socket, the proxies behind it, and guaranteed cleanup."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ngp import cache, files, processes, settings
from ngp.daemons import lines, record
from ngp.daemons.peers import is_own_peer
from ngp.daemons.workers import Worker
from ngp.errors import NgpError
from ngp.pool import home
from ngp.pool.proxies import Proxies
from ngp.proxy import orders
from ngp.proxy.limits import Limits

_LOOK_S = 2.0
_FORKS_S, _FORKS_READY_S = 2.0, 15.0
_PATIENCE_S = 900.0  # for runs that are served when the pool is stopped: longer than a stopped apply may take


class Pool:
    """Serves the commands of one platform until it is stopped, or until nobody came for `limits.idle_s`."""

    def __init__(self, workspace: Path, folder: Path, limits: Limits, forks: str = "") -> None:
        """Prepare the pool. `forks` is the module of the fork server that runs whole commands, "" for none."""
        self._home, self._folder, self._limits, self._forks = home(workspace), folder, limits, forks
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._record = record.DaemonRecord(os.getpid(), str(folder), cache.program(), started)
        self._proxies = Proxies(folder, limits)
        self._talking = 0
        self._used_at = time.monotonic()
        self._over = asyncio.Event()
        self._is_patient = True

    async def serve(self) -> None:
        """Listen, write the record, and clean up at the end."""
        with files.lock_folder(self._folder):
            await self._listen()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        listener = await asyncio.start_unix_server(self._talk, str(self._record.socket), limit=lines.MOST_BYTES)
        self._record.socket.chmod(0o600)
        forks = self._start_forks()
        if forks:
            await asyncio.to_thread(forks.read_line, _FORKS_READY_S)  # without it every command runs itself
        record.write(self._home, self._record)
        try:
            while not self._over.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), _LOOK_S)
                await self._tend()
        finally:
            record.forget(self._home, self._record)
            listener.close()
            if forks:
                forks.end(grace_s=_FORKS_S)
            await self._wait()
            self._proxies.end()
            files.remove_all([self._folder])

    def _start_forks(self) -> Worker | None:
        """Start the fork server, which ends with its input and so with this process."""
        if not self._forks:
            return None
        argv = (sys.executable, "-P", "-m", self._forks, self._record.folder, self._record.built)
        return Worker(processes.ProcessRequest(argv, self._folder, settings.read().environ))

    def _stop(self) -> None:
        """Stop gracefully at the first call, as `serve` does; at once at the second."""
        if self._over.is_set():
            self._is_patient = False
        self._over.set()

    async def _wait(self) -> None:
        """Wait for the runs that are being served: an apply needs its provider."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._proxies.sessions and self._is_patient and time.monotonic() < deadline:
            await asyncio.sleep(0.1)

    async def _tend(self) -> None:
        await self._proxies.tend()
        has_idled = not self._talking and time.monotonic() - self._used_at > self._limits.idle_s
        # the platform was deleted, or the record names another pool: nobody can find this one
        if has_idled or record.read(self._home) != self._record:
            self._over.set()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection. Those of other users are closed unread."""
        self._talking += 1
        try:
            if is_own_peer(writer.get_extra_info("socket")):
                with suppress(ConnectionError, ValueError):  # the client disconnected, or uses another protocol
                    await self._answer(reader, writer)
        finally:
            self._talking -= 1
            self._used_at = time.monotonic()
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(answer: Mapping[str, Any]) -> None:
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()

        await send({})  # the client sees at once that the pool works
        order = json.loads(await reader.readline() or b"{}")
        match order.get("order"):
            case "serve":
                await self._serve(order, reader, send)
            case "status":
                await send(self._describe())
            case "stop":
                self._stop()
                await send({"sessions": self._proxies.sessions})

    async def _serve(self, order: Mapping[str, Any], reader: asyncio.StreamReader, send: orders.Send) -> None:
        try:
            async with self._proxies.lease(order) as proxy:
                await send({})
                await orders.serve_orders(proxy, reader, send)
        except NgpError as error:  # refused; on other errors the pool disconnects
            await send({"error": str(error)})

    def _describe(self) -> Mapping[str, Any]:
        return {
            "idle_s": self._limits.idle_s,
            "memory_bytes": self._limits.memory_bytes,
            "proxies": self._proxies.describe(),
        }
