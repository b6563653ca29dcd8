"""Stops idle provider processes that exceed the limits of their proxy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from ngp.proxy.fleet import Fleet
from ngp.proxy.limits import Limits, memory

_LOOK_S = 5.0
_SETTLED_S = 1.0  # a process that was just configured is about to be used


async def tend(fleets: Sequence[Fleet], limits: Limits, *, look_s: float = _LOOK_S) -> None:
    """Enforce the limits every `look_s` seconds until cancelled."""
    while True:
        await asyncio.sleep(look_s)
        await enforce(fleets, limits)


async def enforce(fleets: Iterable[Fleet], limits: Limits) -> None:
    """Stop processes that are idle too long, then the longest idle ones while all together use too much memory."""
    every = [(fleet, one) for fleet in fleets for one in fleet.providers]
    sizes = await asyncio.to_thread(memory, [one.pid for _, one in every])
    total = sum(sizes.values())
    now = time.monotonic()
    for fleet, one in sorted(every, key=lambda pair: pair[1].used_at):
        idle_s = now - one.used_at
        is_too_much = total > limits.memory_bytes and idle_s > _SETTLED_S
        if fleet.is_idle(one) and (idle_s > limits.idle_s or is_too_much):
            fleet.end_one(one)
            total -= sizes.get(one.pid, 0)
