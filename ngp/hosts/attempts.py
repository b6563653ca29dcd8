"""Limits and retries of SSH logins: how many at the same time, which failures are tried again, and for how long."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PER_ADDRESS = 10  # at once through one jump host, or to one address: sshd drops more (MaxStartups is 10:30:100)
_AT_ONCE = 64  # in all: the time limit of each counts while this machine encrypts for the others
_DROPS, _SLOW = 4, 2  # attempts after which a dropped or a slow login has failed
_PAUSE_S, _LONGEST_PAUSE_S = 0.4, 3.2

Slot = Callable[[], AbstractAsyncContextManager[None]]  # waits for a free slot, then limits the time of an attempt
Connect = Callable[[Slot], Awaitable[Any]]
Errors = tuple[type[Exception], ...]


class SlowLoginError(TimeoutError):
    """sshd accepted a connection, but the login took too long: one of both machines is busy, or sshd hangs."""


@dataclass
class LoginAttempts:
    """The logins of one command.

    Each login has `patience_s` for its attempts and the pauses between them. Time in the queue for a slot does not
    count, as a host that waits for `--parallelism` has not started either.
    """

    patience_s: float
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _pending: int = 0  # logins that have neither succeeded nor failed, with those in the queue
    _good_at: float | None = None  # when the last login succeeded; before any has, when the first one began

    async def repeat(
        self, connect: Connect, lost: Errors, slow: Errors = (SlowLoginError,), *, is_direct: bool = True
    ) -> Any:
        """Connect, and try again after an error of `lost` or `slow`.

        A slow login is tried twice, a lost one four times. A lost attempt does not count while other logins are pending
        and some succeed, because sshd may have dropped it only because it is busy. It always counts if the connection
        is not `is_direct`: then the command that makes the connection may have failed.
        """
        login = _LoginTime(self._slots, self.patience_s)
        drops, slows, pause_s = 0, 0, _PAUSE_S
        if self._good_at is None:
            self._good_at = _now()
        self._pending += 1
        try:
            while True:
                try:
                    connection = await connect(login.slot)
                    self._good_at = _now()
                    return connection
                except (*lost, *slow) as error:
                    slows += isinstance(error, slow)
                    drops += not isinstance(error, slow) and not (is_direct and self._is_busy())
                    if drops >= _DROPS or slows >= _SLOW or not await login.pause(pause_s):
                        raise
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        finally:
            self._pending -= 1

    def _is_busy(self) -> bool:
        return self._pending > 1 and _now() < (self._good_at or 0) + self.patience_s


@dataclass
class _LoginTime:
    """The time that one login has left."""

    slots: asyncio.Semaphore
    left_s: float

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and keep it for one attempt. Raises TimeoutError at the end of the login's time."""
        async with self.slots:
            began = _now()
            try:
                async with asyncio.timeout(self.left_s):
                    yield
            finally:
                self.left_s -= _now() - began

    async def pause(self, pause_s: float) -> bool:
        """Wait before the next attempt; return False at once if no time is left for one."""
        pause_s *= random.uniform(0.5, 1.5)  # noqa: S311  spreads load
        if pause_s >= self.left_s:
            return False
        self.left_s -= pause_s
        await asyncio.sleep(pause_s)
        return True


def _now() -> float:
    return asyncio.get_running_loop().time()
