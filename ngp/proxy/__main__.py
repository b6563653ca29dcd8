"""The proxy's own process, for one run: orders come by its input, answers go by its output.

It is apart from ngp so that a killed ngp takes no provider from a Terraform that is still ending gracefully: at the
end of its input the proxy waits until nobody is connected, then ends with everything that it has started.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ngp import files
from ngp.proxy import limits, orders
from ngp.proxy.safe import open_safe
from ngp.proxy.server import Proxy


async def serve() -> None:
    """Obey orders until the input ends."""
    reader = asyncio.StreamReader(limit=orders.LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    first = json.loads(await reader.readline())
    folder, kept = Path(first["folder"]), limits.Limits()
    safe, umask = open_safe(Path(first["cache"])), first["umask"]
    proxy = Proxy(orders.packages(first), first["environ"], folder, safe, kept, umask)
    tending = asyncio.ensure_future(limits.tend(proxy.fleets, kept))
    try:
        await _say(await orders.answer(proxy.open()))
        await orders.converse(proxy, reader, _say)
    finally:
        tending.cancel()
        proxy.end()
        files.remove_all([folder])


async def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve())
