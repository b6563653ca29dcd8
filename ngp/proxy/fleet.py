"""The processes of one provider: an unconfigured one for schemas and checks, and one for each configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ngp.proxy import messages, provider, schema
from ngp.proxy.answers import Answers
from ngp.proxy.configurations import Configuration, Configured, ShareKey, has_failed, result, shared
from ngp.proxy.limits import Limits
from ngp.proxy.packages import ProviderPackage, verify
from ngp.proxy.provider import ProviderEnvironment, ProviderProcess
from ngp.proxy.rpc import RawStream
from ngp.proxy.schema import Schema
from ngp.proxy.sealed_store import SealedStore

_MOST_CHECKED = 10_000  # answers kept in memory


class Fleet:
    """The processes of one provider package. All of it lives in one event loop."""

    def __init__(
        self, package: ProviderPackage, store: SealedStore, limits: Limits, environment: ProviderEnvironment
    ) -> None:
        self.package, self.store = package, store
        self._limits, self._environment = limits, environment
        self._unconfigured: dict[ShareKey, asyncio.Task[ProviderProcess]] = {}
        self._configured: dict[tuple[ShareKey, bytes], Configuration] = {}
        self._users: dict[ProviderProcess, int] = {}  # how many use each process, or wait for its configuration
        self._checked: dict[str, bytes] = {}  # by keyed digest: a request contains a whole configuration
        self._pending: Counter[ShareKey] = Counter()
        self._schema: asyncio.Task[Schema] | None = None
        self._has_ended = False
        self.hash = ""
        self._yes = Answers(store, "")

    async def open(self) -> None:
        """Check the package against the lock file before any process starts. Raises RefusedError if it differs."""
        self.hash = await asyncio.to_thread(verify, self.package, self.store)
        self._yes = Answers(self.store, self.hash)

    def preload_schema(self, share_key: ShareKey) -> None:
        """Start to load the schema, which every client needs."""
        self._schema = self._schema or asyncio.ensure_future(self._load_schema(share_key))

    @property
    def providers(self) -> list[ProviderProcess]:
        """All running processes."""
        return [*self._users]

    async def unconfigured(self, share_key: ShareKey) -> ProviderProcess:
        """Return the unconfigured process, started if necessary."""
        task = self._unconfigured.get(share_key)
        if task is None or _is_over(task):
            self._end_started(task)
            task = self._unconfigured[share_key] = asyncio.ensure_future(self._start(share_key))
        return await shared(task)

    def configuration(self, share_key: ShareKey, method: str, request: bytes) -> Configuration:
        """Return the configuration of this request, which `configure` waits for."""
        key = (share_key, request)
        found = self._configured.get(key)
        if found is not None and found.provider is not None and not found.provider.is_alive():
            self.end_one(found.provider)
            found = None
        if found is None or found.is_spent:
            found = self._configured[key] = Configuration(share_key, method, request)
        return found

    async def configure(self, configuration: Configuration) -> Configured:
        """Configure a process once for everybody who requested it. The caller must `release` the process."""
        configuration.waiting += 1
        if configuration.provider is not None:
            self._users[configuration.provider] += 1
        configuration.task = configuration.task or asyncio.ensure_future(self._configure(configuration))
        try:
            return await shared(configuration.task)
        except BaseException:
            self._leave(configuration)
            raise

    def release(self, used: ProviderProcess) -> None:
        """Release a configured process. Of the unused ones only the most recently used few keep running."""
        if used not in self._users:
            return
        self._users[used] -= 1
        if not self._users[used] and (used.is_exclusive or not used.is_alive()):
            self.end_one(used)
        idle = [one for one in self._configured_providers() if not self._users[one]]
        idle.sort(key=lambda one: one.used_at)
        for one in idle[: max(0, len(idle) - self._limits.idle_processes)]:
            self.end_one(one)

    def is_idle(self, one: ProviderProcess) -> bool:
        """Whether a process has no user and no call under way."""
        asked = {result(task) for share_key, task in self._unconfigured.items() if self._pending[share_key]}
        return self._users.get(one) == 0 and one not in asked

    def make_exclusive(self, used: ProviderProcess) -> bool:
        """Reserve a process for its only user. Return False if it has other users."""
        used.is_exclusive = self._users.get(used) == 1
        return used.is_exclusive

    async def schema(self, share_key: ShareKey) -> Schema:
        """Return the package's schema, from the store or from the provider."""
        if self._schema is None or has_failed(self._schema):
            self._schema = asyncio.ensure_future(self._load_schema(share_key))
        return await asyncio.shield(self._schema)

    async def renew_schema(self, share_key: ShareKey) -> Schema:
        """Read the schema from the provider again, because the stored one is damaged."""
        self._schema = asyncio.ensure_future(self._ask_schema(share_key))
        return await asyncio.shield(self._schema)

    async def ask(self, share_key: ShareKey, method: str, request: bytes) -> bytes:
        """Call a method of the unconfigured process."""
        with self._asking(share_key):
            return await (await self.unconfigured(share_key)).ask(method, request)

    async def relay(self, share_key: ShareKey, stream: RawStream, method: str) -> None:
        """Forward a streaming call to the unconfigured process."""
        with self._asking(share_key):
            await (await self.unconfigured(share_key)).relay(stream, method)

    async def fact(self, share_key: ShareKey, method: str, request: bytes) -> bytes:
        """Return an answer about the package itself. It contains no configuration, so the store keeps it."""
        name = f"fact-{self.store.digest(self.hash.encode(), method.encode(), request)}"
        kept = self.store.read(name)
        if kept is None:
            kept = await self.ask(share_key, method, request)
            self.store.write(name, kept)
        return kept

    async def check(self, share_key: ShareKey, method: str, request: bytes, yes: bytes | None) -> bytes:
        """Return the unconfigured provider's answer to a validation, which depends on its arguments alone.

        Only the keyed digest of a request is kept, and on the disk only if the answer was `yes`.
        """
        digest = self.store.digest(method.encode(), request)
        known = self._checked.get(digest)
        if known is not None:
            return known
        if yes is not None and digest in self._yes:
            self._yes.remember(digest)
            return yes
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        answer = self._checked[digest] = await self.ask(share_key, method, request)
        if answer == yes:
            self._yes.remember(digest)
        return answer

    def forget(self, share_key: ShareKey) -> None:
        """Stop the processes of a share key that is no longer used."""
        self._end_started(self._unconfigured.pop(share_key, None))
        for configuration in [one for one in self._configured.values() if one.share_key == share_key]:
            self._end_configuration(configuration)

    def save(self) -> None:
        """Write the digests of accepted requests."""
        self._yes.save()

    def end(self) -> None:
        """Stop every process, also those that are starting."""
        self._has_ended = True
        self.save()
        if self._schema is not None:
            self._schema.cancel()
        for share_key in {*self._unconfigured, *(share_key for share_key, _ in self._configured)}:
            self.forget(share_key)
        for one in tuple(self._users):
            self.end_one(one)

    async def _start(self, share_key: ShareKey) -> ProviderProcess:
        if self._has_ended:
            raise provider.StartError("the provider proxy has ended")
        # the processes of other packages have their folders next to it
        folder = self._environment.folder / f"p{secrets.token_hex(4)}"
        launch = provider.Launch(self.package.executable, share_key.cwd, folder, self._environment)
        started = await provider.start(launch)
        self._users[started] = 0
        return started

    async def _configure(self, configuration: Configuration) -> Configured:
        taken = configuration.provider = self._take(configuration.share_key) or await self._start(
            configuration.share_key
        )
        self._users[taken] = configuration.waiting
        answer = await taken.ask(
            configuration.method, configuration.request
        )  # if it fails, the last waiter stops the process
        if messages.has_errors(answer):
            self.end_one(taken)  # the next request tries again
            return Configured(None, answer)
        return Configured(taken, answer)

    def _leave(self, configuration: Configuration) -> None:
        """Stop waiting for a configuration; the last waiter cancels it."""
        configuration.waiting -= 1
        if configuration.provider is not None:
            self.release(configuration.provider)
        if not configuration.waiting and result(configuration.task) is None:
            self._end_configuration(configuration)

    def _end_configuration(self, configuration: Configuration) -> None:
        if configuration.task is not None:
            configuration.task.cancel()
        if configuration.provider is not None:
            self.end_one(configuration.provider)
        if self._configured.get((configuration.share_key, configuration.request)) is configuration:
            del self._configured[configuration.share_key, configuration.request]

    def _end_started(self, task: asyncio.Task[ProviderProcess] | None) -> None:
        """Stop an unconfigured process, also one that is starting."""
        if task is not None:
            task.cancel()
            started = result(task)
            if started is not None:
                self.end_one(started)

    def _take(self, share_key: ShareKey) -> ProviderProcess | None:
        """Return the unconfigured process if it is idle, to be configured instead of a new one; else None."""
        task = self._unconfigured.get(share_key)
        if task is None or not task.done() or _is_over(task) or self._pending[share_key]:
            return None
        del self._unconfigured[share_key]
        return task.result()

    async def _load_schema(self, share_key: ShareKey) -> Schema:
        kept = await asyncio.to_thread(schema.load, self.store, self.hash)
        return kept or await self._ask_schema(share_key)

    async def _ask_schema(self, share_key: ShareKey) -> Schema:
        with self._asking(share_key):
            asked = await self.unconfigured(share_key)
            answer = await asked.ask(messages.schema_method(asked.protocol), b"")
        if messages.has_errors(answer, messages.DIAGNOSTICS):
            raise provider.StartError("the provider cannot return its schema", where=self.package.address)
        return await asyncio.to_thread(schema.save, self.store, self.hash, asked.protocol, answer)

    @contextmanager
    def _asking(self, share_key: ShareKey) -> Iterator[None]:
        """Keep the unconfigured process from being configured meanwhile."""
        self._pending[share_key] += 1
        try:
            yield
        finally:
            self._pending[share_key] -= 1
            if not self._pending[share_key]:
                del self._pending[share_key]

    def _configured_providers(self) -> list[ProviderProcess]:
        return [one.provider for one in self._configured.values() if one.provider in self._users]

    def end_one(self, one: ProviderProcess) -> None:
        """Stop a process; the next request for the same configuration starts a new one."""
        if self._users.pop(one, None) is None:
            return
        self._configured = {
            key: configuration for key, configuration in self._configured.items() if configuration.provider is not one
        }
        self._unconfigured = {
            share_key: task for share_key, task in self._unconfigured.items() if result(task) is not one
        }
        one.end()


def _is_over(task: asyncio.Task[ProviderProcess]) -> bool:
    """Whether the process failed to start, or has ended."""
    return has_failed(task) or (task.done() and not task.result().is_alive())
