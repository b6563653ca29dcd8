"""The proxy of one run: a socket for each Terraform process and provider, and the processes behind them."""

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
from ngp.proxy.connection import Connection, Scope
from ngp.proxy.fleet import Fleet
from ngp.proxy.limits import Limits
from ngp.proxy.packages import Package
from ngp.proxy.provider import Surroundings
from ngp.proxy.safe import Safe
from ngp.proxy.wanted import Berth

_LIMITS = Limits()
_LOOK_S = 0.1
_PATIENCE_S = 900.0  # longer than a stopped apply is given
# Terraform guesses at the type that was meant, of those that it was given
_GUESSES = re.compile(r"invalid (resource|data|ephemeral)|did you mean", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """A Terraform process that is to be served. `texts` are the files that say which types it may meet.

    `calls` is where its output lies, with that of others of its run: what is at work there can be seen by anybody.
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
    scopes: tuple[Scope, ...]
    reattach: Mapping[str, object]
    calls: Path | None


class Proxy:
    """Serves Terraform processes with these packages' providers, started in this environment, with this umask."""

    def __init__(  # noqa: PLR0913  what it is made of, once
        self,
        packages: Sequence[Package],
        environ: Mapping[str, str],
        folder: Path,
        safe: Safe,
        limits: Limits = _LIMITS,
        umask: int = -1,
    ) -> None:
        self._folder, self._work = folder, folder / "work"
        surroundings = Surroundings(environ, umask, folder)
        self.fleets = [Fleet(package, safe, limits, surroundings) for package in packages]
        self._numbers = itertools.count(1)
        self._attached: dict[int, Attachment] = {}

    @property
    def pids(self) -> list[int]:
        return [one.pid for fleet in self.fleets for one in fleet.providers]

    async def open(self) -> None:
        """Check every package against the lock; raise RefusedError where one is another."""
        self._work.mkdir(mode=0o700)
        await asyncio.gather(*(fleet.open() for fleet in self.fleets))
        for fleet in self.fleets:
            if sharing.may_share(fleet.package.address, ()):  # else it would be a process of nobody's root
                fleet.foresee(Berth(self._work))

    async def attach(self, wish: Wish, met: set[str] | None = None) -> tuple[int, Mapping[str, object]]:
        """Serve a Terraform process; return its number and what TF_REATTACH_PROVIDERS is to say (as data).

        `met` are the types of its run so far, and takes up its own: what one root's copy of a state names, the root
        itself may meet too.
        """
        number, met = next(self._numbers), set() if met is None else met
        data = await asyncio.to_thread(_read, wish.texts)
        for one in data or ():
            met.update(schema.words(one))
        names = None if wish.whole_schema or data is None else frozenset(met)
        made = [
            await self._listen(f"t{number}-{at}", fleet, Scope(self._berth(number, fleet, wish, data), names))
            for at, fleet in enumerate(self.fleets)
        ]
        self._attached[number] = Attachment(
            tuple(server for server, _, _, _ in made),
            tuple(path for _, path, _, _ in made),
            tuple(scope for _, _, scope, _ in made),
            {fleet.package.address: entry for fleet, (_, _, _, entry) in zip(self.fleets, made, strict=True)},
            wish.calls,
        )
        return number, self._attached[number].reattach

    async def detach(self, number: int, said: str) -> tuple[bool, list[str], list[str]]:
        """End serving. `said` are the errors that Terraform told.

        Returns whether it may have failed for want of a schema that it was not given, what the proxy itself could
        not do for it, and which of its providers crashed.
        """
        attachment = self._attached.pop(number)
        for server, path in zip(attachment.servers, attachment.paths, strict=True):
            server.close()
            path.unlink(missing_ok=True)
        in_use = {scope.berth for other in self._attached.values() for scope in other.scopes}
        for fleet, scope in zip(self.fleets, attachment.scopes, strict=True):
            if scope.berth.cwd != self._work and scope.berth not in in_use:
                fleet.forget(scope.berth)
        failures = [failure for scope in attachment.scopes for failure in scope.failures]
        lacks = False
        if said and not failures and any(scope.names is not None for scope in attachment.scopes):
            lacks = bool(_GUESSES.search(said)) or await self._lacks(attachment, said)
        return lacks, failures, [crash for scope in attachment.scopes for crash in scope.crashes]

    async def abandon(self, number: int) -> None:
        """End serving a process whose ngp has gone, as soon as all Terraform of its run has ended.

        An apply that makes a database takes long, and for moments it is not connected. Where nobody can see whether
        it is at work its connections tell, for at most `_PATIENCE_S`.
        """
        deadline = time.monotonic() + _PATIENCE_S
        attached = self._attached[number]
        while attached.calls is not None and await asyncio.to_thread(supervised.is_at_work, attached.calls):
            await asyncio.sleep(_LOOK_S)
        while any(scope.connections for scope in attached.scopes) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_S)
        await self.detach(number, "")

    def end(self) -> None:
        """End every process."""
        for fleet in self.fleets:
            fleet.end()

    async def _lacks(self, attachment: Attachment, said: str) -> bool:
        words = schema.words(said.encode())
        for fleet, scope in zip(self.fleets, attachment.scopes, strict=True):
            known = (await fleet.schema(scope.berth)).names
            if scope.names is not None and words & (known - scope.names):
                return True
        return False

    def _berth(self, number: int, fleet: Fleet, wish: Wish, data: Sequence[bytes] | None) -> Berth:
        shared = data is not None and not wish.is_apply and sharing.may_share(fleet.package.address, data)
        return Berth(self._work if shared else wish.root, number if wish.is_apply else 0)

    async def _listen(
        self, name: str, fleet: Fleet, scope: Scope
    ) -> tuple[asyncio.Server, Path, Scope, Mapping[str, object]]:
        protocol = (await fleet.schema(scope.berth)).protocol
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

    def _accept(self, fleet: Fleet, scope: Scope) -> tuple[rpc.Answer, Callable[[], None]]:
        connection = Connection(fleet, scope)
        scope.connections += 1

        def close() -> None:
            scope.connections -= 1
            connection.close()

        return connection.answer, close


def _read(paths: Sequence[Path]) -> list[bytes] | None:
    """The files' contents; None where one is too large to look through."""
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
