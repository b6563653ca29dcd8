"""The proxy process of one run: reads orders from stdin, writes answers to stdout.

It is a separate process so that a killed ngp takes no provider from a Terraform that is still stopping gracefully: when
its input ends, the proxy waits until nobody is connected, then stops everything that it started.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ngp import files
from ngp.daemons import lines
from ngp.errors import NgpError
from ngp.proxy import eviction, limits, orders
from ngp.proxy.packages import verify
from ngp.proxy.sealed_store import open_store
from ngp.proxy.server import Proxy


async def serve(folder: Path) -> None:
    """Execute orders until the input ends. `folder` holds the sockets."""
    reader = asyncio.StreamReader(limit=lines.MOST_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        first = await _read_first_order(reader)
        if first is not None:
            await _serve(first, folder, reader)
    finally:
        files.remove_all([folder])


async def _read_first_order(reader: asyncio.StreamReader) -> Any:
    """Return the order to serve, or None if the input ends first. An order to check packages may precede it."""
    order = json.loads(await reader.readline() or "null")
    if order is not None and order["order"] == "check":
        checking = asyncio.gather(*_checks(order), return_exceptions=True)
        order = json.loads(await reader.readline() or "null")
        await checking  # the store keeps the hashes; serving finds and reports the same errors
    return order


def _checks(order: Mapping[str, Any]) -> Iterator[Awaitable[str]]:
    with suppress(NgpError):
        store = open_store(Path(order["cache"]))
        for package in orders.packages(order):
            yield asyncio.to_thread(verify, package, store)


async def _serve(first: Mapping[str, Any], folder: Path, reader: asyncio.StreamReader) -> None:
    kept, umask = limits.Limits(), first["umask"]
    try:
        store = open_store(Path(first["cache"]))
    except NgpError as error:
        return await _send({"error": str(error)})
    proxy = Proxy(orders.packages(first), first["environ"], folder, store, kept, umask)
    tending = asyncio.ensure_future(eviction.tend(proxy.fleets, kept))
    try:
        await _send(await orders.answer(proxy.open()))
        await orders.serve_orders(proxy, reader, _send)
    finally:
        tending.cancel()
        proxy.end()


async def _send(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve(Path(sys.argv[1])))
