"""One connection of one Terraform process: one provider block, told apart from every other by being a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grpclib import GRPCError, Status

from ngp.errors import NgpError
from ngp.proxy import messages
from ngp.proxy.fleet import Berth, Fleet
from ngp.proxy.messages import Kind
from ngp.proxy.provider import Provider
from ngp.proxy.rpc import RawStream

T = TypeVar("T")
_SERVING = b"\x08\x01"  # HealthCheckResponse: status = SERVING (gRPC health checking protocol)


@dataclass
class Scope:
    """What a Terraform process may see. `names` are the types that it gets the schemas of (None: all of them)."""

    berth: Berth
    names: frozenset[str] | None
    connections: int = 0  # open now
    failures: list[str] = field(default_factory=list)  # what the proxy itself could not do for it


class Connection:
    """Answers the calls of one connection. Until it is configured a process without configuration serves it."""

    def __init__(self, fleet: Fleet, scope: Scope) -> None:
        self._fleet, self._scope = fleet, scope
        self._used: Provider | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._cut: set[asyncio.Task[Any]] = set()  # calls that Stop has ended

    async def answer(self, path: str, stream: RawStream) -> None:
        """Answer one call."""
        service, _, _ = path.removeprefix("/").partition("/")
        if not service.startswith("tfplugin"):
            await _answer_plumbing(path, stream)
            return
        try:
            await self._answer(path, stream)
        except NgpError as error:
            self._scope.failures.append(str(error))
            raise GRPCError(Status.INTERNAL, f"ngp's provider proxy: {error}") from error

    def close(self) -> None:
        """The connection has ended: give the process back."""
        if self._used is not None:
            self._fleet.release(self._used)
            self._used = None

    async def _answer(self, path: str, stream: RawStream) -> None:
        kind = messages.kind(path)
        if kind is Kind.STREAM:
            await self._watched(self._relay(path, stream))
            return
        request = await stream.recv_message()
        if request is None:
            return
        match kind:
            case Kind.SCHEMA:
                reply = await self._schema()
            case Kind.FACT:
                reply = await self._fleet.fact(self._scope.berth, path, request)
            case Kind.PREPARE:
                yes = messages.plain_prepare(_protocol(path), request)
                reply = await self._fleet.check(self._scope.berth, path, request, yes)
            case Kind.CONFIGURE:
                reply = await self._configure(path, request)
            case Kind.STOP:
                reply = await self._stop(path, request)
            case Kind.VALIDATE if self._used is None:
                reply = await self._fleet.check(self._scope.berth, path, request, b"")
            case _:
                reply = await self._watched(self._ask(path, request))
        await stream.send_message(reply)

    async def _ask(self, path: str, request: bytes) -> bytes:
        if self._used is None:
            return await self._fleet.ask(self._scope.berth, path, request)
        return await self._used.ask(path, request)

    async def _relay(self, path: str, stream: RawStream) -> None:
        if self._used is None:
            await self._fleet.relay(self._scope.berth, stream, path)
        else:
            await self._used.relay(stream, path)

    async def _schema(self) -> bytes:
        berth = self._scope.berth
        schema = await self._fleet.schema(berth)
        answer = await asyncio.to_thread(schema.cut, self._scope.names)
        if answer is None:
            schema = await self._fleet.renew_schema(berth)
            answer = await asyncio.to_thread(schema.cut, self._scope.names)
        if answer is None:
            raise NgpError("the provider's schema cannot be kept", where=str(schema.path))
        return answer

    async def _configure(self, path: str, request: bytes) -> bytes:
        if self._used is not None:  # Terraform does not; another client is told what the provider itself says
            return await self._used.ask(path, request)
        found = await self._fleet.configure(self._scope.berth, path, request)
        self._used = found.provider
        return found.answer

    async def _stop(self, path: str, request: bytes) -> bytes:
        """Stop what this connection has under way: its own process is told, one with other users goes on for them."""
        if self._used is not None and (self._scope.berth.owner or self._fleet.give_away(self._used)):
            return await self._used.ask(path, request)
        self._cut |= self._calls
        for call in self._calls:
            call.cancel()
        return b""

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` so that `Stop` can end it: Terraform is told that it was cancelled, the provider too."""
        call = asyncio.ensure_future(work)
        self._calls.add(call)
        try:
            return await call
        except asyncio.CancelledError:
            if call not in self._cut:
                raise  # the client gave up, and `call` with it
            raise GRPCError(Status.CANCELLED, "context canceled") from None
        finally:
            self._calls.discard(call)
            self._cut.discard(call)


def _protocol(path: str) -> int:
    return 6 if path.startswith("/tfplugin6.") else 5


async def _answer_plumbing(path: str, stream: RawStream) -> None:
    """What go-plugin asks beside the provider's own service; none of it is the shared process's business."""
    match path:
        case "/grpc.health.v1.Health/Check":
            await stream.recv_message()
            await stream.send_message(_SERVING)
        case "/plugin.GRPCController/Shutdown":  # the process is not this client's to end
            await stream.recv_message()
            await stream.send_message(b"")
        case "/plugin.GRPCBroker/StartStream" | "/plugin.GRPCStdio/StreamStdio":
            await stream.recv_message()
            await asyncio.Event().wait()  # open as long as the client is; nothing ever comes
        case _:
            raise GRPCError(Status.UNIMPLEMENTED, f"unknown method {path}")
