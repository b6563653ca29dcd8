"""The proxy's own process: orders come as lines of JSON by its input, answers go by its output.

It is apart from ngp so that a killed ngp takes no provider from a Terraform that is still ending gracefully: at the
end of its input the proxy waits until nobody is connected, then ends with everything that it has started.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from ngp import files
from ngp.errors import NgpError
from ngp.proxy.packages import Package
from ngp.proxy.safe import open_safe
from ngp.proxy.server import Proxy, Wish

_PATIENCE_S = 900.0  # longer than a stopped apply is given
_LINE_BYTES = 16 << 20


async def serve() -> None:
    """Obey orders until the input ends."""
    reader = asyncio.StreamReader(limit=_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    first = json.loads(await reader.readline())
    folder = Path(first["folder"])
    proxy = Proxy(
        [Package(one["address"], Path(one["folder"]), tuple(one["hashes"])) for one in first["packages"]],
        first["environ"],
        folder,
        open_safe(Path(first["cache"])),
    )
    try:
        await _reply(proxy.open())
        while line := await reader.readline():
            await _reply(_obey(proxy, json.loads(line)))
        await _wait(proxy)
    finally:
        proxy.end()
        files.remove_all([folder])


async def _obey(proxy: Proxy, order: dict[str, Any]) -> dict[str, Any]:
    match order["order"]:
        case "attach":
            wish = Wish(Path(order["root"]), tuple(map(Path, order["texts"])), order["is_apply"], order["whole_schema"])
            number, entries = await proxy.attach(wish)
            return {"number": number, "reattach": entries}
        case "detach":
            lacks, failures = await proxy.detach(order["number"], order["said"])
            return {"lacks": lacks, "failures": failures}
        case "status":
            return {"pids": proxy.pids}
    raise NgpError(f"unknown order {order['order']}")


async def _reply(work: Any) -> None:
    try:
        answer = await work or {}
    except NgpError as error:
        answer = {"error": str(error)}
    except Exception as error:  # noqa: BLE001  whatever it is: the run goes on without the proxy
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


async def _wait(proxy: Proxy) -> None:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while proxy.is_busy and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve())
