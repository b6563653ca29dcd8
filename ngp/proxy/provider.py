"""A provider process: started with the plugin handshake in a private folder, called by its socket, always stopped."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from grpclib import GRPCError, Status
from grpclib.client import Channel

from ngp import files, processes
from ngp.daemons.workers import Worker
from ngp.errors import NgpError
from ngp.proxy import messages, rpc

_START_S = 60.0  # Terraform's own limit for a plugin's start
# Terraform's plugin protocol, "handshake": a public constant against starting a provider by hand
_COOKIE = {"TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"}
_HANDSHAKE = "1"
_PANIC = re.compile(r"^(panic|fatal error): ", re.MULTILINE)
# Only Terraform needs these: values of variables, tokens of the registry and its own settings
_WITHHELD = ("TF_VAR_", "TF_TOKEN_", "TF_REATTACH_PROVIDERS", "TF_DATA_DIR", "TF_CLI_", "PLUGIN_", "NGP_")
# Variables of a shell and its terminal; a provider has a working directory of its own, not the shell's PWD
_SHELLS_OWN = frozenset({"_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "TERM", "WINDOWID", "SSH_TTY", "TMUX_PANE"})


class StartError(NgpError):
    """A provider did not start, or uses an unknown protocol."""


@dataclass(frozen=True)
class ProviderEnvironment:
    """What all providers of a proxy start with. `umask` is that of Terraform, `folder` that of the proxy."""

    environ: Mapping[str, str]
    umask: int
    folder: Path


@dataclass(frozen=True)
class Launch:
    """How to start a provider. `folder` is private to the process, and removed when it ends."""

    executable: Path
    cwd: Path
    folder: Path
    environment: ProviderEnvironment


class ProviderProcess:
    """A running provider."""

    def __init__(self, launch: Launch, process: Worker, protocol: int, channel: Channel) -> None:
        self._launch, self._process = launch, process
        self.protocol = protocol
        self.used_at = time.monotonic()  # when its last call ended
        self.is_exclusive = False  # reserved for its user, and stopped after it
        self._is_gone = False
        self._channel = channel
        self._output = asyncio.ensure_future(self._drain())

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return not self._is_gone and self._process.is_running()

    async def ask(self, method: str, request: bytes) -> bytes:
        """Make one call. Raises the provider's GRPCError, or UNAVAILABLE if the process has ended."""
        async with self._noticing():
            return await rpc.ask(self._channel, method, request)

    async def relay(self, stream: rpc.RawStream, method: str) -> None:
        """Forward a streaming call."""
        async with self._noticing():
            await rpc.relay(stream, self._channel, method)

    def end(self) -> None:
        """Kill the process and its children, and remove its folder."""
        self._output.cancel()
        self._channel.close()
        self._process.end()
        files.remove_all([self._launch.folder])

    @asynccontextmanager
    async def _noticing(self) -> AsyncIterator[None]:
        """Detect a crash: the current call fails with UNAVAILABLE, later ones with CANCELLED, as in go-plugin."""
        if not self.is_alive():
            raise GRPCError(Status.CANCELLED, "context canceled")
        try:
            yield
        except rpc.GoneError as gone:
            self._is_gone = True  # the process may still be visible
            gone.panic = _panic(await asyncio.to_thread(self._process.last_words))
            raise
        finally:
            self.used_at = time.monotonic()

    async def _drain(self) -> None:
        """Read the provider's output, as Terraform does: it would block at a full pipe."""
        try:
            await rpc.drain(self._channel, "/plugin.GRPCStdio/StreamStdio")
        except GRPCError:
            return


def _panic(words: str) -> str:
    """Return what Terraform would show of a provider's last output: everything from Go's panic on."""
    found = _PANIC.search(words)
    return words[found.start() :] if found else ""


def allowed_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of Terraform's environment that a provider may have."""
    return {
        name: value for name, value in environ.items() if not name.startswith(_WITHHELD) and name not in _SHELLS_OWN
    }


async def start(launch: Launch) -> ProviderProcess:
    """Start a provider. Raises StartError with its output if it makes no handshake."""
    launch.folder.mkdir(mode=0o700)
    environ = allowed_environ(launch.environment.environ) | _COOKIE
    environ["PLUGIN_PROTOCOL_VERSIONS"] = ",".join(map(str, messages.PROTOCOLS))
    # without a client certificate the traffic is plain text, so the socket must be in a private folder
    environ["TMPDIR"] = environ["PLUGIN_UNIX_SOCKET_DIR"] = str(launch.folder)
    request = processes.ProcessRequest((str(launch.executable),), launch.cwd, environ, umask=launch.environment.umask)
    try:
        process = Worker(request, folder=launch.environment.folder)
    except OSError as error:
        files.remove_all([launch.folder])
        raise StartError("the provider cannot be started", where=str(launch.executable), why=str(error)) from error
    try:
        line = await asyncio.to_thread(process.read_line, _START_S)
        protocol, channel = _handshake(line, process)
    except BaseException:  # also if the caller was cancelled
        process.end()
        files.remove_all([launch.folder])
        raise
    return ProviderProcess(launch, process, protocol, channel)


def _handshake(line: str | None, process: Worker) -> tuple[int, Channel]:
    """``1|5|unix|/folder/plugin123|grpc|…``: handshake version, protocol, network, address, transport, certificate.

    Providers in Go send a certificate only on request; others may always send one.
    """
    words = (line or "").split("|")
    if len(words) < 5:
        output = process.last_words() or line or "it said nothing"
        raise StartError("the provider made no handshake", why=output)
    if words[0] != _HANDSHAKE or words[2] != "unix" or words[4].strip() != "grpc":
        raise StartError("the provider's handshake is unknown", why=line or "")
    if words[1] not in map(str, messages.PROTOCOLS):
        raise StartError(f"the provider speaks protocol {words[1]}", why="the proxy knows 5 and 6")
    certificate = words[5].strip() if len(words) > 5 else ""
    try:
        return int(words[1]), rpc.channel(words[3], base64.b64decode(certificate + "=" * (-len(certificate) % 4)))
    except ValueError as error:
        raise StartError("cannot read the provider's certificate", why=str(error)) from error
