"""The proxy's own process, for one run: orders come by its input, answers go by its output.

It is apart from ngp so that a killed ngp takes no provider from a Terraform that is still ending gracefully: at the
end of its input the proxy waits until nobody is connected, then ends with everything that it has started.
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
from ngp.proxy.safe import open_safe
from ngp.proxy.server import Proxy


async def serve(folder: Path) -> None:
    """Obey orders until the input ends; `folder` is for the sockets."""
    reader = asyncio.StreamReader(limit=lines.MOST_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        first = await _hear_first(reader)
        if first is not None:
            await _converse(first, folder, reader)
    finally:
        files.remove_all([folder])


async def _hear_first(reader: asyncio.StreamReader) -> Any:
    """The first order to serve, None where the input ends without one. Packages may have to be checked before."""
    order = json.loads(await reader.readline() or "null")
    if order is not None and order["order"] == "check":
        checking = asyncio.gather(*_checks(order), return_exceptions=True)
        order = json.loads(await reader.readline() or "null")
        await checking  # which is remembered, with whatever was wrong to be found again
    return order


def _checks(order: Mapping[str, Any]) -> Iterator[Awaitable[str]]:
    with suppress(NgpError):
        safe = open_safe(Path(order["cache"]))
        for package in orders.packages(order):
            yield asyncio.to_thread(verify, package, safe)


async def _converse(first: Mapping[str, Any], folder: Path, reader: asyncio.StreamReader) -> None:
    kept, umask = limits.Limits(), first["umask"]
    try:
        safe = open_safe(Path(first["cache"]))
    except NgpError as error:
        return await _say({"error": str(error)})
    proxy = Proxy(orders.packages(first), first["environ"], folder, safe, kept, umask)
    tending = asyncio.ensure_future(eviction.tend(proxy.fleets, kept))
    try:
        await _say(await orders.answer(proxy.open()))
        await orders.converse(proxy, reader, _say)
    finally:
        tending.cancel()
        proxy.end()


async def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve(Path(sys.argv[1])))
