"""Logins with asyncssh: through jump hosts and proxies, with checked host keys and plain error messages."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ngp.errors import MissingError, NgpError
from ngp.hosts import login_failures
from ngp.hosts.attempts import PER_ADDRESS, LoginAttempts, Slot, SlowLoginError
from ngp.hosts.host import SSH_PORT, USER_NAME, Host
from ngp.hosts.login_failures import LoginError, LostError, SlowError
from ngp.hosts.trust import Lookup, named_files

if TYPE_CHECKING:
    from ngp.hosts.instance_connect import PushedKey
    from ngp.hosts.session_manager import Proxy
    from ngp.hosts.trust import Trust

_LOST = (ConnectionResetError, BrokenPipeError)  # what a sshd that closes at once is, besides asyncssh.ConnectionLost
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_HOP = re.compile(r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<plain>[A-Za-z0-9][A-Za-z0-9_.-]*))(?::(?P<port>\d+))?")


@dataclass(frozen=True)
class Login:
    """How to log in. `user` counts before that of a host; `config` is an ssh_config in place of the user's own.

    `key` is pushed to each host before the login, and no other key is tried.
    """

    trust: Trust
    user: str = ""
    config: Path | None = None
    proxy: Proxy | None = None  # the command that leads to a host, in place of a connection from here
    key: PushedKey | None = None
    connect_s: float = 10.0
    login_s: float = 20.0
    patience_s: float = 60.0  # for all attempts to log in to one host


@dataclass
class Logins:
    """Opens connections for one command; used inside of one event loop."""

    login: Login
    _gates: dict[str, asyncio.Semaphore] = field(default_factory=lambda: defaultdict(_gate))
    _attempts: LoginAttempts = field(init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _bastions: dict[str, asyncio.Task[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._attempts = LoginAttempts(self.login.patience_s)

    @asynccontextmanager
    async def open(self, host: Host) -> AsyncIterator[Any]:
        """Log in to a host; the connection is closed at the end. Raises LoginError."""
        import asyncssh

        if not _ADDRESS.fullmatch(host.address):
            raise LoginError("it has no address")
        user = self.login.user or host.user
        if user and not USER_NAME.fullmatch(user):
            raise LoginError(f"`{user}` is not a valid user name", "correct its tag `ngp:user`, or pass --user")
        options = await self.options(host)
        jump = options.tunnel if isinstance(options.tunnel, str) else ""
        try:
            connection = await self._connect(host, options, jump)
        except asyncssh.HostKeyNotVerifiable:
            is_known = self.login.trust.knows(host, self.lookup(host, options))
            raise login_failures.untrusted(host, self.login.trust.why_unknown(host), is_known=is_known) from None
        except (OSError, asyncssh.Error, TimeoutError) as error:
            raise LoginError(*self.reason(error)) from None
        try:
            yield connection
        finally:
            connection.abort()

    async def close(self) -> None:
        """Close the bastions."""
        for task in self._bastions.values():
            task.cancel()
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().abort()

    async def options(self, host: Host, **more: Any) -> Any:
        """Return asyncssh's options for a host with the user's ssh_config, without its trusted keys (see `checked`)."""
        import asyncssh

        proxy = self.login.proxy(host) if self.login.proxy else ()
        arguments: dict[str, Any] = {
            "host": host.address,
            "connect_timeout": self.login.connect_s,
            "login_timeout": self.login.login_s,
            "keepalive_interval": 15,
            **({"port": host.port} if host.port != SSH_PORT else {}),
            **({"config": [str(self.login.config)]} if self.login.config else {}),
            # asyncssh prefers ProxyJump of ssh_config, ssh a ProxyCommand of its command line
            **({"proxy_command": list(proxy), "tunnel": None} if proxy else {}),
            **(_only(self.login.key) if self.login.key else {}),
            **more,
        }
        user = self.login.user or host.user
        try:
            return await asyncssh.SSHClientConnectionOptions.construct(
                **arguments, **({"username": user} if user else {})
            )
        except (OSError, ValueError, asyncssh.Error) as error:
            raise LoginError(f"cannot use your ssh_config or keys: {error}") from None

    def lookup(self, host: Host, options: Any) -> Lookup:
        """Return where ssh would look up the key of a host, by the user's ssh_config. Raises LoginError."""
        alias, port = options.host_key_alias, None if options.host_key_alias else options.port
        tokens = {"h": options.host, "k": alias or host.address, "n": host.address, "p": str(options.port)}
        names = options.config.get("UserKnownHostsFile")
        try:
            values = {**tokens, "r": str(options.username)}
            files = None if names is None else named_files(names, values, self.login.trust.home)
        except ValueError as error:
            raise LoginError(f"cannot use your ssh_config: {error}", "write the full path there") from None
        return Lookup(alias or options.host, port, files)

    async def checked(self, host: Host, options: Any) -> dict[str, Any]:
        """Return the options that make asyncssh check the key of a host. Raises LoginError."""
        trust, lookup = self.login.trust, self.lookup(host, options)
        if trust.knows(host) and not trust.knows(host, lookup):
            # `Trust.learn`, which reads no ssh_config, took the usual files and the address for enough
            async with self._asking:
                try:
                    await asyncio.to_thread(trust.renew, host)
                except NgpError as error:
                    raise LoginError(str(error)) from None
        return {"known_hosts": trust.keys(host, lookup)}

    async def _connect(self, host: Host, options: Any, jump: str) -> Any:
        import asyncssh

        checked = await self.checked(host, options)
        is_direct = bool(jump) or not options.proxy_command
        if jump:
            await self._bastion(jump)  # before its hosts count as logins: a jump host that drops all is not busy

        async def connect(slot: Slot) -> Any:
            async with self._gates[jump or host.address]:
                tunnel = await self._bastion(jump) if jump else None  # None: none of ssh_config either
                is_accepted = asyncio.Event()
                try:
                    async with slot():
                        if self.login.key:
                            await _push(self.login.key, host, str(options.username))
                        more = {**checked, "client_factory": _client(is_accepted)}
                        return await asyncssh.connect(host.address, options=options, tunnel=tunnel, **more)
                except TimeoutError:
                    raise _timed_out(is_accepted, is_direct=is_direct) from None
                except asyncssh.ChannelOpenError:
                    await asyncio.sleep(0)  # a lost connection is closed in the next round of the loop
                    if tunnel is None or not tunnel.is_closed():
                        raise
                    raise asyncssh.ConnectionLost(f"the connection to the jump host {jump} was lost") from None

        return await self._attempts.repeat(connect, (asyncssh.ConnectionLost, *_LOST), is_direct=is_direct)

    def reason(self, error: BaseException) -> tuple[str, str]:
        """Return why a login failed, and what to do."""
        return login_failures.reason(error, self.login.connect_s, has_key=self.login.key is not None)

    async def _bastion(self, jump: str) -> Any:
        """Return the connection to a bastion, shared by all hosts behind it, and renewed if it was lost."""
        task = self._bastions.get(jump)
        if task is None or _is_lost(task):
            opened = self._attempts.repeat(lambda slot: self._open_bastion(jump, slot), (LostError,), (SlowError,))
            task = self._bastions[jump] = asyncio.ensure_future(opened)
        return await asyncio.shield(task)

    async def _open_bastion(self, jump: str, slot: Slot, behind: tuple[str, ...] = ()) -> Any:
        """Log in to the last of the bastions of a ProxyJump, each through the one before. Raises LoginError."""
        connection: Any = None
        for hop in jump.split(","):
            before = connection
            try:
                connection = await self._open_hop(hop, connection, slot, behind)
            except BaseException:
                if before is not None:
                    before.abort()
                raise
        return connection

    async def _open_hop(self, hop: str, tunnel: Any, slot: Slot, behind: tuple[str, ...]) -> Any:
        import asyncssh

        host, is_accepted = _bastion(hop), asyncio.Event()
        logins = Logins(replace(self.login, user=host.user, proxy=None, key=None))
        try:
            options = await logins.options(host)
            own = options.tunnel if isinstance(options.tunnel, str) and options.tunnel not in (*behind, hop) else ""
            if own and tunnel is None:  # a bastion that ssh_config puts behind another one
                tunnel = await self._open_bastion(own, slot, (*behind, hop))
            more = {**await logins.checked(host, options), "client_factory": _client(is_accepted)}
            async with slot():
                return await asyncssh.connect(host.address, options=options, tunnel=tunnel, **more)
        except asyncssh.HostKeyNotVerifiable as error:
            is_known = self.login.trust.knows(host, logins.lookup(host, options))
            why = "its host key has changed" if is_known else "its host key is not known"
            todo = f"compare its keys with your known_hosts ({error})"
            raise login_failures.through(hop, LoginError(why, todo)) from None
        except LoginError as error:
            raise login_failures.through(hop, error) from None
        except (asyncssh.ConnectionLost, *_LOST) as error:
            raise login_failures.through(hop, LostError(*logins.reason(error))) from None
        except TimeoutError:
            slow = _timed_out(is_accepted, is_direct=tunnel is not None or not options.proxy_command)
            kind = SlowError if isinstance(slow, SlowLoginError) else LoginError
            raise login_failures.through(hop, kind(*logins.reason(slow))) from None
        except (OSError, asyncssh.Error) as error:
            raise login_failures.through(hop, LoginError(*logins.reason(error))) from None


def _client(is_accepted: asyncio.Event) -> Any:
    """Return a class of clients for asyncssh that sets `is_accepted` once a connection is accepted."""
    import asyncssh

    class Client(asyncssh.SSHClient):
        def connection_made(self, conn: Any) -> None:  # noqa: ARG002  asyncssh's own
            is_accepted.set()

    return Client


def _timed_out(is_accepted: asyncio.Event, *, is_direct: bool) -> TimeoutError:
    """Return the error of a login that took too long. A proxy command accepts a connection to a dead host, too."""
    return SlowLoginError() if is_direct and is_accepted.is_set() else TimeoutError()


def _gate() -> asyncio.Semaphore:
    return asyncio.Semaphore(PER_ADDRESS)


def _is_lost(task: asyncio.Task[Any]) -> bool:
    """Return whether a connection was made and then lost. One that was never made is not lost: its hosts fail."""
    return task.done() and not task.cancelled() and task.exception() is None and bool(task.result().is_closed())


def _bastion(hop: str) -> Host:
    """Return the host of ProxyJump's ``[USER@]HOST[:PORT]``; an IPv6 address is in brackets."""
    user, _, place = hop.strip().removeprefix("ssh://").rpartition("@")
    found = _HOP.fullmatch(place)
    if not found:
        raise LoginError(f"cannot use your ssh_config: `{hop}` in ProxyJump is not a valid host")
    address = found["bracketed"] or found["plain"]
    return Host(address, address, "", private_dns=address, user=user, port=int(found["port"] or SSH_PORT))


async def _push(key: PushedKey, host: Host, user: str) -> None:
    try:
        await asyncio.to_thread(key.push, host, user, key.public)
    except NgpError as error:
        raise LoginError(f"EC2 Instance Connect refused the key: {error}", error.findings[0].todo) from None


def _only(key: PushedKey) -> dict[str, Any]:
    """Return the options that make asyncssh try this key only: none of the agent, and none of ssh_config."""
    return {"client_keys": [str(key.private)], "client_certs": [], "agent_path": None}


def require_library() -> None:
    """Raise MissingError (69) where asyncssh is not installed."""
    from importlib.util import find_spec

    if find_spec("asyncssh") is None:
        raise MissingError(
            "this command needs the package asyncssh",
            why="ngp was installed without its extra `ssh`",
            todo='pip install "ngp-platform[ssh]"; `ngp host ssh` works without it',
        )
