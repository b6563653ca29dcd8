"""What is wanted of a fleet and shared by those that want it, and what has become of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from grpclib import GRPCError, Status

from ngp.proxy.provider import Provider

R = TypeVar("R")


@dataclass(frozen=True)
class Berth:
    """Who may share a process: those in the same working directory, and of one apply only itself (`owner`)."""

    cwd: Path
    owner: int = 0


@dataclass(frozen=True)
class Configured:
    """A process and what it answered when it was configured; None where it refused and was ended."""

    provider: Provider | None
    answer: bytes


@dataclass(eq=False)
class Wanted:
    """A configuration from the first wish for it. `waiting` are those that its process is being configured for."""

    berth: Berth
    method: str
    request: bytes = field(repr=False)
    waiting: int = 0
    provider: Provider | None = None  # as soon as it has started
    task: asyncio.Task[Configured] | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the next one needs another: it failed, or its process is somebody's alone."""
        is_taken = self.provider is not None and self.provider.is_given_away
        return is_taken or (self.task is not None and has_failed(self.task))


async def shared(task: asyncio.Task[R]) -> R:
    """Wait with others; one that gives up ends it for nobody else. Raise GRPCError where all of it was ended."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise GRPCError(Status.CANCELLED, "context canceled") from None
        raise


def result(task: asyncio.Task[R] | None) -> R | None:
    """What a task has come to; None while it is under way, and where it failed."""
    return task.result() if task and task.done() and not has_failed(task) else None


def has_failed(task: asyncio.Task[R]) -> bool:
    """Whether a task has ended without a result."""
    return task.done() and (task.cancelled() or task.exception() is not None)
