"""One connection of a Terraform process. Each provider block has its own connection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grpclib import GRPCError, Status

from ngp.errors import NgpError
from ngp.proxy import messages
from ngp.proxy.configurations import Configuration, ShareKey
from ngp.proxy.fleet import Fleet
from ngp.proxy.messages import CallKind
from ngp.proxy.provider import ProviderProcess
from ngp.proxy.rpc import GoneError, RawStream

T = TypeVar("T")
_SERVING = b"\x08\x01"  # HealthCheckResponse: status = SERVING (gRPC health checking protocol)


@dataclass
class ClientScope:
    """What one Terraform process may use. `names` are the types whose schemas it gets (None: all)."""

    share_key: ShareKey
    names: frozenset[str] | None
    connections: int = 0  # open now
    failures: list[str] = field(default_factory=list)  # of the proxy itself
    crashes: list[str] = field(default_factory=list)  # of providers in the middle of a call, with the panic


class Connection:
    """Answers the calls of one connection. An unconfigured process serves it until it is configured."""

    def __init__(self, fleet: Fleet, scope: ClientScope) -> None:
        self._fleet, self._scope = fleet, scope
        self._used: ProviderProcess | None = None
        self._configuration: Configuration | None = None  # while it is being configured
        self._calls: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()  # calls that Stop cancelled

    async def answer(self, path: str, stream: RawStream) -> None:
        """Answer one gRPC call."""
        service, _, _ = path.removeprefix("/").partition("/")
        if not service.startswith("tfplugin"):
            await _answer_plumbing(path, stream)
            return
        try:
            await self._answer(path, stream)
        except GoneError as gone:
            crash = f"the provider {self._fleet.package.address} has ended in the middle of a call"
            self._scope.crashes.append(f"{crash}:\n{gone.panic}" if gone.panic else crash)
            raise
        except NgpError as error:
            self._scope.failures.append(str(error))
            raise GRPCError(Status.INTERNAL, f"ngp's provider proxy: {error}") from error

    def close(self) -> None:
        """Release the provider process at the end of the connection."""
        if self._used is not None:
            self._fleet.release(self._used)
            self._used = None

    async def _answer(self, path: str, stream: RawStream) -> None:
        kind = messages.kind(path)
        if kind is CallKind.STREAM:
            await self._watched(self._relay(path, stream))
            return
        request = await stream.recv_message()
        if request is None:
            return
        match kind:
            case CallKind.SCHEMA:
                reply = await self._schema()
            case CallKind.FACT:
                reply = await self._fleet.fact(self._scope.share_key, path, request)
            case CallKind.PREPARE:
                yes = messages.plain_prepare(_protocol(path), request)
                reply = await self._fleet.check(self._scope.share_key, path, request, yes)
            case CallKind.CONFIGURE:
                reply = await self._watched(self._configure(path, request))
            case CallKind.STOP:
                reply = await self._stop(path, request)
            case CallKind.VALIDATE if self._used is None:
                reply = await self._fleet.check(self._scope.share_key, path, request, b"")
            case _:
                reply = await self._watched(self._ask(path, request))
        await stream.send_message(reply)

    async def _ask(self, path: str, request: bytes) -> bytes:
        if self._used is None:
            return await self._fleet.ask(self._scope.share_key, path, request)
        return await self._used.ask(path, request)

    async def _relay(self, path: str, stream: RawStream) -> None:
        if self._used is None:
            await self._fleet.relay(self._scope.share_key, stream, path)
        else:
            await self._used.relay(stream, path)

    async def _schema(self) -> bytes:
        share_key = self._scope.share_key
        schema = await self._fleet.schema(share_key)
        answer = await asyncio.to_thread(schema.cut, self._scope.names)
        if answer is None:
            schema = await self._fleet.renew_schema(share_key)
            answer = await asyncio.to_thread(schema.cut, self._scope.names)
        if answer is None:
            raise NgpError("the provider's schema cannot be kept", where=str(schema.path))
        return answer

    async def _configure(self, path: str, request: bytes) -> bytes:
        if self._used is not None:  # Terraform never configures twice; for another client the provider answers itself
            return await self._used.ask(path, request)
        self._configuration = self._fleet.configuration(self._scope.share_key, path, request)
        try:
            found = await self._fleet.configure(self._configuration)
        finally:
            self._configuration = None
        self._used = found.provider
        return found.answer

    async def _stop(self, path: str, request: bytes) -> bytes:
        """Stop this connection's calls: an exclusive process gets Stop, a shared one goes on for its other users."""
        used = self._used or (self._configuration.provider if self._configuration else None)
        if used is not None and (self._scope.share_key.owner or self._fleet.make_exclusive(used)):
            return await used.ask(path, request)
        self._cut |= self._calls
        for call in self._calls:
            call.cancel()
        return b""

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` so that `Stop` can cancel it; Terraform and the provider then see a cancelled call."""
        call = asyncio.ensure_future(work)
        self._calls.add(call)
        try:
            return await call
        except asyncio.CancelledError:
            if call not in self._cut:
                raise  # the client cancelled, and `call` with it
            raise GRPCError(Status.CANCELLED, "context canceled") from None
        finally:
            self._calls.discard(call)
            self._cut.discard(call)


def _protocol(path: str) -> int:
    return 6 if path.startswith("/tfplugin6.") else 5


async def _answer_plumbing(path: str, stream: RawStream) -> None:
    """Answer the services of go-plugin itself, which must not reach a shared process."""
    match path:
        case "/grpc.health.v1.Health/Check":
            await stream.recv_message()
            await stream.send_message(_SERVING)
        case "/plugin.GRPCController/Shutdown":  # this client does not own the process
            await stream.recv_message()
            await stream.send_message(b"")
        case "/plugin.GRPCBroker/StartStream" | "/plugin.GRPCStdio/StreamStdio":
            await stream.recv_message()
            await asyncio.Event().wait()  # stays open until the client disconnects; no message is sent
        case _:
            raise GRPCError(Status.UNIMPLEMENTED, f"unknown method {path}")
