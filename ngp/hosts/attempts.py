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


class SlowLoginError(TimeoutError):
    """sshd accepted a connection, but the login took too long: one of both machines is busy, or sshd hangs."""


@dataclass
class LoginAttempts:
    """Counts the logins of one command that are under way. None is tried again `patience_s` after its first failure."""

    patience_s: float
    _running: int = 0
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _places: int = _AT_ONCE
    _surplus: int = 0  # places that whoever leaves one takes away

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a place, and keep it for one login."""
        await self._gate.acquire()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._surplus:
                self._surplus -= 1
            else:
                self._gate.release()

    async def again(self, connect: Callable[[], Awaitable[Any]], *lost: type[Exception]) -> Any:
        """Connect, and try again where the connection is lost.

        A few tries are enough for one host. With so many logins under way that a sshd behind all these addresses drops
        some of them, or that they are slow, a failure says nothing about the host, so it does not count as a try. Each
        slow one leaves a place less for the others.
        """
        failures: tuple[type[Exception], ...] = (SlowLoginError, *lost)
        tries, pause_s, deadline = 0, _PAUSE_S, 0.0
        while True:
            try:
                return await connect()
            except failures as error:
                is_crowded = self._running >= PER_ADDRESS
                if isinstance(error, SlowLoginError):
                    self._narrow()
                    tries = tries if is_crowded else _TRIES
                tries += not is_crowded
                deadline = deadline or time.monotonic() + self.patience_s
                if tries >= _TRIES or time.monotonic() + pause_s > deadline:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  spreads load
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _narrow(self) -> None:
        if self._places > PER_ADDRESS:
            self._places -= 1
            self._surplus += 1
