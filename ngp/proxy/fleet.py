"""Which provider process serves whom: one that is not configured for pure questions, one for each configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ngp.proxy import messages, provider, schema
from ngp.proxy.answers import Answers
from ngp.proxy.limits import Limits
from ngp.proxy.packages import Package, verify
from ngp.proxy.provider import Provider
from ngp.proxy.rpc import RawStream
from ngp.proxy.safe import Safe
from ngp.proxy.schema import Schema

R = TypeVar("R")
_MOST_CHECKED = 10_000  # answers that are held in memory


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


_UNDER_WAY = Configured(None, b"")


class Fleet:
    """The processes of one provider package. All of it lives in one event loop."""

    def __init__(self, package: Package, environ: Mapping[str, str], folder: Path, safe: Safe, limits: Limits) -> None:
        self.package, self.safe = package, safe
        self._environ, self._folder, self._limits = environ, folder, limits
        self._blank: dict[Berth, asyncio.Task[Provider]] = {}
        self._configured: dict[tuple[Berth, bytes], asyncio.Task[Configured]] = {}
        self._users: dict[Provider, int] = {}
        self._checked: dict[tuple[str, bytes], bytes] = {}
        self._pending: Counter[Berth] = Counter()
        self._schema: asyncio.Task[Schema] | None = None
        self.hash = ""
        self._yes = Answers(safe, "")

    async def open(self) -> None:
        """Check the package against the lock; raise RefusedError. Nothing of it is started before."""
        self.hash = await asyncio.to_thread(verify, self.package, self.safe)
        self._yes = Answers(self.safe, self.hash)

    @property
    def providers(self) -> list[Provider]:
        """Every process that runs."""
        return [*self._users]

    async def blank(self, berth: Berth) -> Provider:
        """A process that is not configured."""
        task = self._blank.get(berth)
        if task is None or _is_over(task):
            task = self._blank[berth] = asyncio.ensure_future(self._start(berth))
        return await asyncio.shield(task)

    async def configure(self, berth: Berth, method: str, request: bytes) -> Configured:
        """The process with this configuration, configured exactly once. Its user gives it back by `release`."""
        key = (berth, request)
        task = self._configured.get(key)
        if task is None or _is_spent(task):
            task = self._configured[key] = asyncio.ensure_future(self._configure(berth, method, request))
        found = await asyncio.shield(task)
        if found.provider is not None:
            self._users[found.provider] += 1
        elif self._configured.get(key) is task:
            del self._configured[key]  # the next one asks again
        return found

    def release(self, used: Provider) -> None:
        """Give a configured process back; of those that nobody uses only the youngest few go on running."""
        if used not in self._users:
            return
        self._users[used] -= 1
        if used.is_given_away and not self._users[used]:
            self.end_one(used)
        idle = [one for one in self._holders() if self._users.get(one) == 0]
        for one in idle[: max(0, len(idle) - self._limits.idle_processes)]:
            self.end_one(one)

    def is_idle(self, one: Provider) -> bool:
        """Whether nobody uses a process and nobody is asking it anything."""
        asked = {_result(task) for berth, task in self._blank.items() if self._pending[berth]}
        return self._users.get(one) == 0 and one not in asked and one in {*self._holders(), *self._blanks()}

    def give_away(self, used: Provider) -> bool:
        """Leave a process to its only user for good: nobody else gets it. False where it has others."""
        used.is_given_away = self._users.get(used) == 1
        return used.is_given_away

    async def schema(self, berth: Berth) -> Schema:
        """The package's schema: from the disk, or asked once."""
        if self._schema is None or _has_failed(self._schema):
            self._schema = asyncio.ensure_future(self._load_schema(berth))
        return await asyncio.shield(self._schema)

    async def renew_schema(self, berth: Berth) -> Schema:
        """Ask the provider again: what was kept is not what was written."""
        self._schema = asyncio.ensure_future(self._ask_schema(berth))
        return await asyncio.shield(self._schema)

    async def ask(self, berth: Berth, method: str, request: bytes) -> bytes:
        """Ask a process that is not configured."""
        with self._asking(berth):
            return await (await self.blank(berth)).ask(method, request)

    async def relay(self, berth: Berth, stream: RawStream, method: str) -> None:
        """Pass a streaming call on to a process that is not configured."""
        with self._asking(berth):
            await (await self.blank(berth)).relay(stream, method)

    async def fact(self, berth: Berth, method: str, request: bytes) -> bytes:
        """The answer to a question about the package itself; holds nothing of a configuration, so it is kept."""
        name = f"fact-{self.safe.digest(self.hash.encode(), method.encode(), request)}"
        kept = self.safe.read(name)
        if kept is None:
            kept = await self.ask(berth, method, request)
            self.safe.write(name, kept)
        return kept

    async def check(self, berth: Berth, method: str, request: bytes, yes: bytes | None) -> bytes:
        """The answer of an unconfigured provider to arguments that it is to check; it depends on these alone.

        On the disk there is no more of it than a keyed digest of what was answered by `yes`.
        """
        known = self._checked.get((method, request))
        if known is not None:
            return known
        digest = self.safe.digest(method.encode(), request)
        if yes is not None and digest in self._yes:
            self._yes.remember(digest)
            return yes
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        answer = self._checked[method, request] = await self.ask(berth, method, request)
        if answer == yes:
            self._yes.remember(digest)
        return answer

    def forget(self, berth: Berth) -> None:
        """End the processes of a berth that nobody uses any more."""
        blank = self._blank.pop(berth, None)
        held = [_result(blank)] if blank else []
        for key, task in self._configured.items():
            configured = _result(task) if key[0] == berth else None
            held.append(configured.provider if configured else None)
        for one in held:
            if one is not None:
                self.end_one(one)
        self._configured = {key: task for key, task in self._configured.items() if key[0] != berth}

    def keep(self) -> None:
        """Write down what was learnt about the package."""
        self._yes.keep()

    def end(self) -> None:
        """End every process."""
        self.keep()
        for one in tuple(self._users):
            self.end_one(one)

    async def _start(self, berth: Berth) -> Provider:
        folder = self._folder / f"p{secrets.token_hex(4)}"  # other packages' processes have theirs beside it
        launch = provider.Launch(self.package.executable, self._environ, berth.cwd, folder)
        started = await provider.start(launch)
        self._users[started] = 0
        return started

    async def _configure(self, berth: Berth, method: str, request: bytes) -> Configured:
        taken = self._take(berth) or await self._start(berth)
        answer = await taken.ask(method, request)
        if messages.has_errors(answer):
            self.end_one(taken)
            return Configured(None, answer)
        return Configured(taken, answer)

    def _take(self, berth: Berth) -> Provider | None:
        """The unconfigured process, where nobody is asking it anything: it saves the start of another."""
        task = self._blank.get(berth)
        if task is None or not task.done() or _is_over(task) or self._pending[berth]:
            return None
        del self._blank[berth]
        return task.result()

    async def _load_schema(self, berth: Berth) -> Schema:
        kept = await asyncio.to_thread(schema.load, self.safe, self.hash)
        return kept or await self._ask_schema(berth)

    async def _ask_schema(self, berth: Berth) -> Schema:
        with self._asking(berth):
            asked = await self.blank(berth)
            answer = await asked.ask(messages.schema_method(asked.protocol), b"")
        if messages.has_errors(answer, messages.DIAGNOSTICS):
            raise provider.StartError("the provider cannot tell its schema", where=self.package.address)
        return await asyncio.to_thread(schema.keep, self.safe, self.hash, asked.protocol, answer)

    @contextmanager
    def _asking(self, berth: Berth) -> Iterator[None]:
        """Meanwhile the unconfigured process is not taken to be configured."""
        self._pending[berth] += 1
        try:
            yield
        finally:
            self._pending[berth] -= 1

    def _holders(self) -> list[Provider]:
        done = [found for task in self._configured.values() if (found := _result(task)) is not None]
        return [found.provider for found in done if found.provider is not None]

    def _blanks(self) -> list[Provider]:
        return [found for task in self._blank.values() if (found := _result(task)) is not None]

    def end_one(self, one: Provider) -> None:
        """End a process; whoever asks for one like it gets another."""
        self._users.pop(one, None)
        self._configured = {
            key: task for key, task in self._configured.items() if (_result(task) or _UNDER_WAY).provider is not one
        }
        one.end()


def _result(task: asyncio.Task[R]) -> R | None:
    """What a task has come to; None while it is under way, and where it failed."""
    return task.result() if task.done() and not _has_failed(task) else None


def _has_failed(task: asyncio.Task[R]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _is_over(task: asyncio.Task[Provider]) -> bool:
    """Whether the process did not start, or has ended since."""
    return _has_failed(task) or (task.done() and not task.result().is_alive())


def _is_spent(task: asyncio.Task[Configured]) -> bool:
    """Whether it could not be configured, or the process has ended since or is another's."""
    if _has_failed(task):
        return True
    if not task.done():
        return False
    used = task.result().provider
    return used is None or used.is_given_away or not used.is_alive()
