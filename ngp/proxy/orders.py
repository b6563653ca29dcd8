"""Orders of a run to its proxy: one line of JSON each, answered by one line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from ngp.errors import NgpError
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.server import AttachRequest, Proxy

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def packages(order: Mapping[str, Any]) -> list[ProviderPackage]:
    """Return the packages that an order to serve or check names."""
    return [ProviderPackage(one["address"], Path(one["folder"]), tuple(one["hashes"])) for one in order["packages"]]


async def serve_orders(proxy: Proxy, reader: asyncio.StreamReader, send: Send) -> None:
    """Execute orders until the input ends; then wait until the Terraform processes that are still served have ended."""
    served: set[int] = set()
    met: set[str] = set()  # the types of this run so far; the proxy of a pool serves several runs
    try:
        while line := await reader.readline():
            await send(await answer(_execute(proxy, json.loads(line), served, met)))
    finally:
        await asyncio.gather(*(proxy.abandon(number) for number in served))


async def answer(work: Awaitable[Mapping[str, Any] | None]) -> Mapping[str, Any]:
    """Return the answer of `work`, or its error as text."""
    try:
        return await work or {}
    except NgpError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001  whatever fails: the run goes on without the proxy
        return {"error": f"{type(error).__name__}: {error}"}


async def _execute(proxy: Proxy, order: Mapping[str, Any], served: set[int], met: set[str]) -> Mapping[str, Any]:
    match order["order"]:
        case "attach":
            calls = Path(order["calls"]) if order.get("calls") else None
            texts = tuple(map(Path, order["texts"]))
            request = AttachRequest(Path(order["root"]), texts, order["is_apply"], order["whole_schema"], calls)
            number, entries = await proxy.attach(request, met)
            served.add(number)
            return {"number": number, "reattach": entries}
        case "detach":
            served.discard(order["number"])
            lacks, failures, crashes = await proxy.detach(order["number"], order["said"])
            return {"lacks": lacks, "failures": failures, "crashes": crashes}
        case "status":
            return {"pids": proxy.pids}
    raise NgpError(f"unknown order {order['order']}")
