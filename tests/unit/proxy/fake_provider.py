"""A provider for tests: speaks the handshake and protocol 6 in raw bytes, and does what its requests say."""

import asyncio
import json
import os
import sys
from pathlib import Path

from grpclib import GRPCError, Status

from ngp.proxy import rpc, wire

HERE = Path(os.environ["PLUGIN_UNIX_SOCKET_DIR"]) / "plugin"
LOG = Path(os.environ["FAKE_LOG"])
TYPES = ("fake_one", "fake_two")
ERROR = wire.encode(1, b"\x08\x01" + wire.encode(2, b"refused"))
stopped = asyncio.Event()


def schema():
    maps = b"".join(wire.encode(2, wire.encode(1, name.encode()) + wire.encode(2, b"s" * 50)) for name in TYPES)
    return wire.encode(1, b"\x08\x00") + maps + wire.encode(7, wire.encode(1, b"function"))


def note(method, request):
    with LOG.open("a") as file:
        file.write(f"{os.getpid()} {method} {request.decode()}\n")


async def read(request):
    if b"crash" in request:
        sys.stderr.write("panic: boom\n")
        os._exit(2)
    if b"error" in request:
        raise GRPCError(Status.RESOURCE_EXHAUSTED, "too much")
    if b"sleep" in request:
        try:
            await stopped.wait()
        except asyncio.CancelledError:
            note("cancelled", request)
            raise
        return b"stopped"
    return b"read " + request


async def answer(path, stream):
    method = path.rpartition("/")[2]
    if method == "ListThings":
        async for message in stream:
            await stream.send_message(message)
            await stream.send_message(message + b"!")
        return
    request = await stream.recv_message()
    note(method, request)
    match method:
        case "GetProviderSchema":
            reply = schema()
        case "ConfigureProvider":
            reply = ERROR if b"refuse" in request else b""
        case "ValidateResourceConfig":
            reply = ERROR if b"wrong" in request else b""
        case "ReadResource":
            reply = await read(request)
        case "StopProvider":
            stopped.set()
            reply = b""
        case "CallFunction":
            reply = json.dumps({**os.environ, "CWD": str(Path.cwd())}).encode()
        case _:
            reply = b""
    await stream.send_message(reply)


async def main():
    if os.environ.get("FAKE_START") == "dies":
        sys.exit("the fake does not want to")
    server = await rpc.listen(HERE, lambda: (answer, lambda: None))
    protocol, certificate = os.environ.get("FAKE_PROTOCOL", "6"), os.environ.get("FAKE_CERTIFICATE", "")
    sys.stdout.write(f"1|{protocol}|unix|{HERE}|grpc|{certificate}\n")
    sys.stdout.flush()
    await server.serve_forever()


if os.environ.get("TF_PLUGIN_MAGIC_COOKIE", "").startswith("d602bf8f"):
    asyncio.run(main())
