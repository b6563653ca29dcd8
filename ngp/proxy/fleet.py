"""Which provider process serves whom: one that is not configured for pure questions, one for each configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ngp.proxy import messages, provider, schema
from ngp.proxy.answers import Answers
from ngp.proxy.limits import Limits
from ngp.proxy.packages import Package, verify
from ngp.proxy.provider import Provider, Surroundings
from ngp.proxy.rpc import RawStream
from ngp.proxy.safe import Safe
from ngp.proxy.schema import Schema
from ngp.proxy.wanted import Berth, Configured, Wanted, has_failed, result, shared

_MOST_CHECKED = 10_000  # answers that are held in memory


class Fleet:
    """The processes of one provider package. All of it lives in one event loop."""

    def __init__(self, package: Package, safe: Safe, limits: Limits, surroundings: Surroundings) -> None:
        self.package, self.safe = package, safe
        self._limits, self._surroundings = limits, surroundings
        self._blank: dict[Berth, asyncio.Task[Provider]] = {}
        self._configured: dict[tuple[Berth, bytes], Wanted] = {}
        self._users: dict[Provider, int] = {}  # of every process: who has it, or waits for its configuration
        self._checked: dict[str, bytes] = {}  # by keyed digest: a request holds a whole configuration
        self._pending: Counter[Berth] = Counter()
        self._schema: asyncio.Task[Schema] | None = None
        self._has_ended = False
        self.hash = ""
        self._yes = Answers(safe, "")

    async def open(self) -> None:
        """Check the package against the lock; raise RefusedError. Nothing of it is started before."""
        self.hash = await asyncio.to_thread(verify, self.package, self.safe)
        self._yes = Answers(self.safe, self.hash)

    def foresee(self, berth: Berth) -> None:
        """Begin to load the schema: whoever comes will want it."""
        self._schema = self._schema or asyncio.ensure_future(self._load_schema(berth))

    @property
    def providers(self) -> list[Provider]:
        """Every process that runs."""
        return [*self._users]

    async def blank(self, berth: Berth) -> Provider:
        """A process that is not configured."""
        task = self._blank.get(berth)
        if task is None or _is_over(task):
            self._end_started(task)
            task = self._blank[berth] = asyncio.ensure_future(self._start(berth))
        return await shared(task)

    def want(self, berth: Berth, method: str, request: bytes) -> Wanted:
        """The process with this configuration, which `configure` waits for."""
        key = (berth, request)
        found = self._configured.get(key)
        if found is not None and found.provider is not None and not found.provider.is_alive():
            self.end_one(found.provider)
            found = None
        if found is None or found.is_spent:
            found = self._configured[key] = Wanted(berth, method, request)
        return found

    async def configure(self, wanted: Wanted) -> Configured:
        """Have it configured, exactly once for all that want it. Its user gives the process back by `release`."""
        wanted.waiting += 1
        if wanted.provider is not None:
            self._users[wanted.provider] += 1
        wanted.task = wanted.task or asyncio.ensure_future(self._configure(wanted))
        try:
            return await shared(wanted.task)
        except BaseException:
            self._leave(wanted)
            raise

    def release(self, used: Provider) -> None:
        """Give a configured process back; of those that nobody uses only the youngest few go on running."""
        if used not in self._users:
            return
        self._users[used] -= 1
        if not self._users[used] and (used.is_given_away or not used.is_alive()):
            self.end_one(used)
        idle = [one for one in self._holders() if not self._users[one]]
        idle.sort(key=lambda one: one.used_at)
        for one in idle[: max(0, len(idle) - self._limits.idle_processes)]:
            self.end_one(one)

    def is_idle(self, one: Provider) -> bool:
        """Whether nobody uses a process and nobody is asking it anything."""
        asked = {result(task) for berth, task in self._blank.items() if self._pending[berth]}
        return self._users.get(one) == 0 and one not in asked

    def give_away(self, used: Provider) -> bool:
        """Leave a process to its only user for good: nobody else gets it. False where it has others."""
        used.is_given_away = self._users.get(used) == 1
        return used.is_given_away

    async def schema(self, berth: Berth) -> Schema:
        """The package's schema: from the disk, or asked once."""
        if self._schema is None or has_failed(self._schema):
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

        There is no more kept of a request than its keyed digest, on the disk only of what was answered by `yes`.
        """
        digest = self.safe.digest(method.encode(), request)
        known = self._checked.get(digest)
        if known is not None:
            return known
        if yes is not None and digest in self._yes:
            self._yes.remember(digest)
            return yes
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        answer = self._checked[digest] = await self.ask(berth, method, request)
        if answer == yes:
            self._yes.remember(digest)
        return answer

    def forget(self, berth: Berth) -> None:
        """End the processes of a berth that nobody uses any more."""
        self._end_started(self._blank.pop(berth, None))
        for wanted in [one for one in self._configured.values() if one.berth == berth]:
            self._end_wanted(wanted)

    def keep(self) -> None:
        """Write down what was learnt about the package."""
        self._yes.keep()

    def end(self) -> None:
        """End every process, and those that are being started."""
        self._has_ended = True
        self.keep()
        if self._schema is not None:
            self._schema.cancel()
        for berth in {*self._blank, *(berth for berth, _ in self._configured)}:
            self.forget(berth)
        for one in tuple(self._users):
            self.end_one(one)

    async def _start(self, berth: Berth) -> Provider:
        if self._has_ended:
            raise provider.StartError("the provider proxy has ended")
        # other packages' processes have theirs beside it
        folder = self._surroundings.folder / f"p{secrets.token_hex(4)}"
        launch = provider.Launch(self.package.executable, berth.cwd, folder, self._surroundings)
        started = await provider.start(launch)
        self._users[started] = 0
        return started

    async def _configure(self, wanted: Wanted) -> Configured:
        taken = wanted.provider = self._take(wanted.berth) or await self._start(wanted.berth)
        self._users[taken] = wanted.waiting
        answer = await taken.ask(wanted.method, wanted.request)  # where it fails, the last that waits ends the process
        if messages.has_errors(answer):
            self.end_one(taken)  # the next one asks again
            return Configured(None, answer)
        return Configured(taken, answer)

    def _leave(self, wanted: Wanted) -> None:
        """One of those that waited does so no more: the last one takes what it waited for with it."""
        wanted.waiting -= 1
        if wanted.provider is not None:
            self.release(wanted.provider)
        if not wanted.waiting and result(wanted.task) is None:
            self._end_wanted(wanted)

    def _end_wanted(self, wanted: Wanted) -> None:
        if wanted.task is not None:
            wanted.task.cancel()
        if wanted.provider is not None:
            self.end_one(wanted.provider)
        if self._configured.get((wanted.berth, wanted.request)) is wanted:
            del self._configured[wanted.berth, wanted.request]

    def _end_started(self, task: asyncio.Task[Provider] | None) -> None:
        """End a process that is not configured, also one that is just starting."""
        if task is not None:
            task.cancel()
            started = result(task)
            if started is not None:
                self.end_one(started)

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
            if not self._pending[berth]:
                del self._pending[berth]

    def _holders(self) -> list[Provider]:
        return [one.provider for one in self._configured.values() if one.provider in self._users]

    def end_one(self, one: Provider) -> None:
        """End a process; whoever asks for one like it gets another."""
        if self._users.pop(one, None) is None:
            return
        self._configured = {key: wanted for key, wanted in self._configured.items() if wanted.provider is not one}
        self._blank = {berth: task for berth, task in self._blank.items() if result(task) is not one}
        one.end()


def _is_over(task: asyncio.Task[Provider]) -> bool:
    """Whether the process did not start, or has ended since."""
    return has_failed(task) or (task.done() and not task.result().is_alive())
