"""LoginAttempts to log in: a bounded number at the same time, and again where a busy sshd drops the connection."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PER_ADDRESS = 10  # at once through one bastion, or to one address: sshd drops more (MaxStartups is 10:30:100)
_AT_ONCE = 64  # in all: the time limit of each counts while this machine encrypts for the others
_TRIES, _PAUSE_S, _LONGEST_PAUSE_S = 4, 0.4, 3.2


@dataclass
class LoginAttempts:
    """Counts the logins of one command that are under way. No login is tried again after `patience_s`."""

    patience_s: float
    _running: int = 0
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place, and keep it for one login."""
        async with self._gate:
            self._running += 1
            try:
                yield
            finally:
                self._running -= 1

    async def again(self, connect: Callable[[], Awaitable[Any]], *lost: type[Exception]) -> Any:
        """Connect, and try again where the connection is lost.

        A few tries are enough for one host. With so many logins under way that a sshd behind all these addresses drops
        some of them, a lost connection says nothing about the host, so it does not count as a try.
        """
        tries, pauses, deadline = 0, 0, time.monotonic() + self.patience_s
        while True:
            try:
                return await connect()
            except lost:
                tries += self._running < PER_ADDRESS
                pause_s = min(_PAUSE_S * 2**pauses, _LONGEST_PAUSE_S) * random.uniform(0.5, 1.5)  # noqa: S311  spreads load
                if tries == _TRIES or time.monotonic() + pause_s > deadline:
                    raise
            pauses += 1
            await asyncio.sleep(pause_s)
