"""gRPC of raw bytes over private unix sockets, by grpclib: a server per accepted connection, a channel per provider.

grpclib and not grpcio, measured (1 KB round trip 1.4 ms and 80 MB 0.5 s for both): grpcio cannot tell two clients of
one socket apart without a private server and two more copies for each, 44 threads and half as much memory again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from grpclib import GRPCError, Status
from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.const import Cardinality, Handler
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import ProtocolError, StreamTerminatedError
from grpclib.protocol import H2Protocol
from grpclib.server import Server, Stream

from ngp.daemons.peers import is_own_peer

RawStream = Stream[bytes, bytes]
Answer = Callable[[str, RawStream], Awaitable[None]]
# a whole schema exceeds every default; both ends are on this machine
_WINDOW = Configuration(
    http2_connection_window_size=2**30,
    http2_stream_window_size=2**30,
    ssl_target_name_override="localhost",  # the name in a plugin's certificate
)
_BOTH_WAYS = Cardinality.STREAM_STREAM  # includes every other kind of call on the wire
logging.getLogger("grpclib").setLevel(logging.CRITICAL + 1)  # it would print to stderr


class _Raw(CodecBase):
    __content_subtype__ = "proto"

    def encode(self, message: bytes, message_type: Any) -> bytes:  # noqa: ARG002
        return message

    def decode(self, data: bytes, message_type: Any) -> bytes:  # noqa: ARG002
        return data


class GoneError(GRPCError):
    """The provider process has ended or closed its socket. `panic` is Go's message, if any."""

    panic = ""

    def __init__(self) -> None:
        super().__init__(Status.UNAVAILABLE, "error reading from server: EOF")


class _Methods(dict[str, Handler]):
    """A mapping of every possible method to one function, which gets the path."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def get(self, path: str, default: Any = None) -> Any:  # noqa: ARG002
        return Handler(lambda stream: self._answer(path, stream), _BOTH_WAYS, bytes, bytes)


async def listen(path: Path, accept: Callable[[], tuple[Answer, Callable[[], None]]]) -> asyncio.Server:
    """Serve on a unix socket. For each connection `accept` returns the functions that answer its calls and close it."""

    def connect() -> H2Protocol:
        answer, closed = accept()
        server = Server([], codec=_Raw(), config=_WINDOW)
        server._mapping = _Methods(answer)  # noqa: SLF001  grpclib has no public way to serve any method
        return _Connection(server._protocol_factory(), closed)  # noqa: SLF001

    return await asyncio.get_running_loop().create_unix_server(connect, str(path))


_PIECE_BYTES = 1 << 16


class Gathering(asyncio.Transport):
    """Sends everything that one step of the loop writes at once: a call is five frames, and each would wake the peer.

    Large answers are written in pieces, so that the transport's own limit applies.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._written = bytearray()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: Any) -> None:
        if not self._written:
            asyncio.get_running_loop().call_soon(self._send)
        self._written += data
        if len(self._written) >= _PIECE_BYTES:
            self._send()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        written, self._written = self._written, bytearray()
        if written:
            self._transport.write(written)


class _Protocol(H2Protocol):
    """A connection that gathers its writes."""

    def __init__(self, made: H2Protocol) -> None:
        super().__init__(made.handler, made.config, made.h2_config)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(Gathering(cast("asyncio.Transport", transport)))


class _Connection(_Protocol):
    """An accepted connection of this user; those of others are closed unread."""

    def __init__(self, made: H2Protocol, closed: Callable[[], None]) -> None:
        super().__init__(made)
        self._closed = closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not is_own_peer(transport.get_extra_info("socket")):
            self.connection.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._closed()


class _Channel(Channel):
    def _protocol_factory(self) -> H2Protocol:
        return _Protocol(super()._protocol_factory())


def channel(path: str, certificate: bytes = b"") -> Channel:
    """Return a channel to a provider's socket, which connects on first use.

    With a `certificate` (DER) it is TLS with whoever has that one; raise ValueError where it is none.
    """
    return _Channel(path=path, codec=_Raw(), config=_WINDOW, ssl=_trust(certificate) if certificate else None)


def _trust(certificate: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=certificate)
    except ssl.SSLError as error:
        raise ValueError(str(error)) from error
    context.set_ciphers("DEFAULT:@SECLEVEL=1")  # some providers use a key of 1024 bits, for a private socket
    context.set_alpn_protocols(["h2"])
    return context


async def ask(to: Channel, method: str, request: bytes) -> bytes:
    """Make a unary call. Raises the provider's GRPCError, or GoneError if the process has ended."""
    try:
        async with to.request(method, _BOTH_WAYS, bytes, bytes) as call:
            await call.send_message(request, end=True)
            answer: bytes | None = await call.recv_message()
    except (StreamTerminatedError, OSError, EOFError) as error:
        raise GoneError from error
    if answer is None:
        raise GRPCError(Status.INTERNAL, "the provider gave no answer")
    return answer


async def relay(stream: RawStream, to: Channel, method: str) -> None:
    """Forward a streaming call: messages of both sides as they arrive."""
    try:
        async with to.request(method, _BOTH_WAYS, bytes, bytes) as call:
            await call.send_request()
            up = asyncio.ensure_future(_pump(stream, call))
            try:
                async for message in call:
                    await stream.send_message(message)
            finally:
                up.cancel()
                with suppress(asyncio.CancelledError, StreamTerminatedError):
                    await up
            with suppress(ProtocolError):  # the client may have ended the stream already
                await call.end()
    except (StreamTerminatedError, OSError, EOFError) as error:
        raise GoneError from error


async def _pump(stream: RawStream, call: Any) -> None:
    async for message in stream:
        await call.send_message(message)
    await call.end()


async def drain(to: Channel, method: str) -> None:
    """Open a stream and discard its messages until it ends. Raises GRPCError if there is no such stream."""
    try:
        async with to.request(method, _BOTH_WAYS, bytes, bytes) as call:
            await call.send_message(b"", end=True)
            async for _ in call:
                pass
    except (StreamTerminatedError, OSError, EOFError) as error:
        raise GoneError from error
