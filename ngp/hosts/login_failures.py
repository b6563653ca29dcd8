"""Failed logins: why, and what to do."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from ngp.hosts.attempts import SlowLoginError

if TYPE_CHECKING:
    from ngp.hosts.host import Host


class LoginError(Exception):
    """A failed login. The text is the reason; `todo` says what to do."""

    def __init__(self, why: str, todo: str = "") -> None:
        super().__init__(why)
        self.todo = todo


class LostError(LoginError):
    """A connection to a jump host was lost before its login."""


class SlowError(LoginError):
    """A jump host accepted a connection, but the login took too long."""


def untrusted(host: Host, why: str, *, is_known: bool) -> LoginError:
    """Return the error for a host key that is not trusted; `why` says why nobody could be asked for it."""
    if is_known:
        return LoginError(
            "its host key has changed: the machine was replaced, or somebody intercepts the connection",
            "check that the machine was replaced, then read its new key from the console: "
            f"ngp host trust {shlex.quote(host.environment or '/')} {shlex.quote(host.id)}",
        )
    todo = "read its keys from its console, then add them to ~/.ssh/known_hosts or hosts.yaml"
    cause = f", and ngp cannot read its console: {why}" if why else ""
    return LoginError(f"its host key is not known{cause}", todo)


def through(hop: str, error: LoginError) -> LoginError:
    """Return an error of a jump host that names it."""
    return type(error)(f"cannot connect through the jump host {hop}: {error}", error.todo)


def reason(error: BaseException, connect_s: float, *, has_key: bool) -> tuple[str, str]:
    """Return why a login failed, and what to do. `has_key`: it used a key from EC2 Instance Connect."""
    import asyncssh

    if isinstance(error, asyncssh.PermissionDenied):
        if has_key:
            todo = "check that the user exists and that the host has the package ec2-instance-connect"
            return "sshd refused the login with the key from EC2 Instance Connect", todo
        todo = "load your key into the agent (ssh-add), or set user and key in ssh_config, or pass --user"
        return "sshd refused the login: it accepts none of your keys for this user", todo
    if isinstance(error, SlowLoginError):
        return (
            f"sshd accepted the connection but did not finish the login in {connect_s:g} s",
            "check the load of the host, or log in to fewer hosts at the same time",
        )
    if isinstance(error, TimeoutError):
        return (
            f"no answer in {connect_s:g} s",
            "check that the host is running and that its SSH port is reachable from here",
        )
    if isinstance(error, OSError):
        number = error.errno or 0  # asyncio has words of its own; the resolver counts below zero
        why = os.strerror(number) if number > 0 else error.strerror or str(error)
        todo = "check its name in DNS" if number < 0 else "check that sshd is running on the host"
        return (why or "no connection").lower(), todo
    return str(error) or type(error).__name__, ""
