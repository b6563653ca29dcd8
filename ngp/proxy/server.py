"""The proxy: one socket for each Terraform process and provider, and the provider processes behind them."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ngp import supervised
from ngp.proxy import rpc, schema, sharing
from ngp.proxy.configurations import ShareKey
from ngp.proxy.connection import ClientScope, Connection
from ngp.proxy.fleet import Fleet
from ngp.proxy.limits import Limits
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.provider import ProviderEnvironment
from ngp.proxy.sealed_store import SealedStore

_LIMITS = Limits()
_LOOK_S = 0.1
_GRACE_S = 900.0  # longer than a stopped apply may take
# Terraform suggests a type, out of those whose schemas it got
_GUESSES = re.compile(r"invalid (resource|data|ephemeral)|did you mean", re.IGNORECASE)


@dataclass(frozen=True)
class AttachRequest:
    """A Terraform process to serve. `texts` are the files that name the types that it may use.

    `calls` is the folder with the output of its run's calls (`supervised`), which shows whether one is running.
    """

    root: Path
    texts: tuple[Path, ...]
    is_apply: bool = False
    whole_schema: bool = False
    calls: Path | None = None


@dataclass(frozen=True)
class Attachment:
    """The sockets of one Terraform process."""

    servers: tuple[asyncio.Server, ...]
    paths: tuple[Path, ...]
    scopes: tuple[ClientScope, ...]
    reattach: Mapping[str, object]
    calls: Path | None


class Proxy:
    """Serves Terraform processes with the providers of these packages, started with this environment and umask."""

    def __init__(  # noqa: PLR0913  called once
        self,
        packages: Sequence[ProviderPackage],
        environ: Mapping[str, str],
        folder: Path,
        store: SealedStore,
        limits: Limits = _LIMITS,
        umask: int = -1,
    ) -> None:
        self._folder, self._work = folder, folder / "work"
        environment = ProviderEnvironment(environ, umask, folder)
        self.fleets = [Fleet(package, store, limits, environment) for package in packages]
        self._numbers = itertools.count(1)
        self._attached: dict[int, Attachment] = {}

    @property
    def pids(self) -> list[int]:
        return [one.pid for fleet in self.fleets for one in fleet.providers]

    async def open(self) -> None:
        """Check every package against the lock file. Raises RefusedError if one differs."""
        self._work.mkdir(mode=0o700)
        await asyncio.gather(*(fleet.open() for fleet in self.fleets))
        for fleet in self.fleets:
            if sharing.may_share(fleet.package.address, ()):  # else no root could use that process
                fleet.preload_schema(ShareKey(self._work))

    async def attach(self, request: AttachRequest, met: set[str] | None = None) -> tuple[int, Mapping[str, object]]:
        """Serve a Terraform process; return its number and the content of TF_REATTACH_PROVIDERS as data.

        `met` are the types of the run so far; those of this process are added, because a root may meet the types that
        a copy of its state named.
        """
        number, met = next(self._numbers), set() if met is None else met
        data = await asyncio.to_thread(_read, request.texts)
        for one in data or ():
            met.update(schema.words(one))
        names = None if request.whole_schema or data is None else frozenset(met)
        made = [
            await self._listen(
                f"t{number}-{at}", fleet, ClientScope(self._share_key(number, fleet, request, data), names)
            )
            for at, fleet in enumerate(self.fleets)
        ]
        self._attached[number] = Attachment(
            tuple(server for server, _, _, _ in made),
            tuple(path for _, path, _, _ in made),
            tuple(scope for _, _, scope, _ in made),
            {fleet.package.address: entry for fleet, (_, _, _, entry) in zip(self.fleets, made, strict=True)},
            request.calls,
        )
        return number, self._attached[number].reattach

    async def detach(self, number: int, errors: str) -> tuple[bool, list[str], list[str]]:
        """Stop serving a process. `errors` are those that Terraform reported.

        Returns whether it may have failed because a schema was left out, the failures of the proxy itself, and the
        providers that crashed.
        """
        attachment = self._attached.pop(number)
        for server, path in zip(attachment.servers, attachment.paths, strict=True):
            server.close()
            path.unlink(missing_ok=True)
        in_use = {scope.share_key for other in self._attached.values() for scope in other.scopes}
        for fleet, scope in zip(self.fleets, attachment.scopes, strict=True):
            if scope.share_key.cwd != self._work and scope.share_key not in in_use:
                fleet.forget(scope.share_key)
        failures = [failure for scope in attachment.scopes for failure in scope.failures]
        lacks = False
        if errors and not failures and any(scope.names is not None for scope in attachment.scopes):
            lacks = bool(_GUESSES.search(errors)) or await self._lacks(attachment, errors)
        return lacks, failures, [crash for scope in attachment.scopes for crash in scope.crashes]

    async def abandon(self, number: int) -> None:
        """Stop serving a process whose ngp has ended, once all Terraform processes of its run have ended.

        A long apply is not connected all the time. Without a folder of calls, open connections show whether it is
        running, for at most `_GRACE_S` seconds.
        """
        deadline = time.monotonic() + _GRACE_S
        attached = self._attached[number]
        while attached.calls is not None and await asyncio.to_thread(supervised.is_at_work, attached.calls):
            await asyncio.sleep(_LOOK_S)
        while any(scope.connections for scope in attached.scopes) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_S)
        await self.detach(number, "")

    def end(self) -> None:
        """Stop every process."""
        for fleet in self.fleets:
            fleet.end()

    async def _lacks(self, attachment: Attachment, errors: str) -> bool:
        words = schema.words(errors.encode())
        for fleet, scope in zip(self.fleets, attachment.scopes, strict=True):
            known = (await fleet.schema(scope.share_key)).names
            if scope.names is not None and words & (known - scope.names):
                return True
        return False

    def _share_key(self, number: int, fleet: Fleet, request: AttachRequest, data: Sequence[bytes] | None) -> ShareKey:
        shared = data is not None and not request.is_apply and sharing.may_share(fleet.package.address, data)
        return ShareKey(self._work if shared else request.root, number if request.is_apply else 0)

    async def _listen(
        self, name: str, fleet: Fleet, scope: ClientScope
    ) -> tuple[asyncio.Server, Path, ClientScope, Mapping[str, object]]:
        protocol = (await fleet.schema(scope.share_key)).protocol
        path = self._folder / name
        server = await rpc.listen(path, lambda: self._accept(fleet, scope))
        path.chmod(0o600)
        address = {"Network": "unix", "String": str(path)}
        return (
            server,
            path,
            scope,
            {"Protocol": "grpc", "ProtocolVersion": protocol, "Pid": os.getpid(), "Test": True, "Addr": address},
        )

    def _accept(self, fleet: Fleet, scope: ClientScope) -> tuple[rpc.Answer, Callable[[], None]]:
        connection = Connection(fleet, scope)
        scope.connections += 1

        def close() -> None:
            scope.connections -= 1
            connection.close()

        return connection.answer, close


def _read(paths: Sequence[Path]) -> list[bytes] | None:
    """Return the contents of the files, or None if one is too large to search."""
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append(file.read(schema.READ_BYTES + 1))
        except OSError:
            continue
        if len(found[-1]) > schema.READ_BYTES:
            return None
    return found
