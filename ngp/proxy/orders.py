"""What a run says to its proxy: orders as lines of JSON, each answered by one line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ngp.errors import NgpError
from ngp.proxy.packages import Package
from ngp.proxy.server import Proxy, Wish

Say = Callable[[Mapping[str, Any]], Awaitable[None]]


def packages(order: Mapping[str, Any]) -> list[Package]:
    """The packages that a first order names."""
    return [Package(one["address"], Path(one["folder"]), tuple(one["hashes"])) for one in order["packages"]]


async def converse(proxy: Proxy, reader: asyncio.StreamReader, say: Say) -> None:
    """Obey orders until the input ends, however it ends; what is still served then ends gracefully first."""
    served: set[int] = set()
    met: set[str] = set()  # the types of this run so far; a pool's proxy serves others, too
    try:
        while line := await reader.readline():
            await say(await answer(_obey(proxy, json.loads(line), served, met)))
    finally:
        await asyncio.gather(*(proxy.abandon(number) for number in served))


async def answer(work: Awaitable[Mapping[str, Any] | None]) -> Mapping[str, Any]:
    """What `work` gives, or in words why it could not."""
    try:
        return await work or {}
    except NgpError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001  whatever it is: the run goes on without the proxy
        return {"error": f"{type(error).__name__}: {error}"}


async def _obey(proxy: Proxy, order: Mapping[str, Any], served: set[int], met: set[str]) -> Mapping[str, Any]:
    match order["order"]:
        case "attach":
            calls = Path(order["calls"]) if order.get("calls") else None
            texts = tuple(map(Path, order["texts"]))
            wish = Wish(Path(order["root"]), texts, order["is_apply"], order["whole_schema"], calls)
            number, entries = await proxy.attach(wish, met)
            served.add(number)
            return {"number": number, "reattach": entries}
        case "detach":
            served.discard(order["number"])
            lacks, failures, crashes = await proxy.detach(order["number"], order["said"])
            return {"lacks": lacks, "failures": failures, "crashes": crashes}
        case "status":
            return {"pids": proxy.pids}
    raise NgpError(f"unknown order {order['order']}")
