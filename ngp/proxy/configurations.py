"""Provider configurations that are requested from a fleet, shared by everybody who requests the same one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from grpclib import GRPCError, Status

from ngp.proxy.provider import ProviderProcess

R = TypeVar("R")


@dataclass(frozen=True)
class ShareKey:
    """Terraform processes with equal keys share a provider. `owner` is an apply's number: applies share nothing."""

    cwd: Path
    owner: int = 0


@dataclass(frozen=True)
class Configured:
    """A configured process and its answer. `provider` is None if it refused the configuration and was stopped."""

    provider: ProviderProcess | None
    answer: bytes


@dataclass(eq=False)
class Configuration:
    """A requested configuration. `waiting` counts those that wait until its process is configured."""

    share_key: ShareKey
    method: str
    request: bytes = field(repr=False)
    waiting: int = 0
    provider: ProviderProcess | None = None  # as soon as it has started
    task: asyncio.Task[Configured] | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the next request needs a new configuration: this one failed, or its process is exclusive."""
        is_taken = self.provider is not None and self.provider.is_exclusive
        return is_taken or (self.task is not None and has_failed(self.task))


async def shared(task: asyncio.Task[R]) -> R:
    """Await a task that others await too: cancelling one waiter leaves the task running.

    Raises GRPCError if the task itself was cancelled.
    """
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise GRPCError(Status.CANCELLED, "context canceled") from None
        raise


def result(task: asyncio.Task[R] | None) -> R | None:
    """Return the result of a task, or None if it is running or failed."""
    return task.result() if task and task.done() and not has_failed(task) else None


def has_failed(task: asyncio.Task[R]) -> bool:
    """Whether a task ended without a result."""
    return task.done() and (task.cancelled() or task.exception() is not None)
