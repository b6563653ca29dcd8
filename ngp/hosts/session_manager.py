"""Connects to a host through Session Manager: the AWS CLI and its plugin are ssh's proxy, so no port has to be open."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from ngp.errors import MissingError, UsageError

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.hosts.host import Host
    from ngp.settings import Settings

_INSTANCE = re.compile(r"m?i-[0-9a-f]+")
_TAG = "ngp:via"
_PLUGIN = "session-manager-plugin"
_DOCUMENT = "AWS-StartSSHSession"  # Systems Manager: opens a connection to a port of the instance


def proxy(host: Host, session: Session | None, settings: Settings) -> tuple[str, ...]:
    """Return the command that connects its streams with the sshd of a host.

    Raises MissingError (69) without the AWS CLI or its plugin, UsageError (64) for a host that is no instance of EC2.
    """
    found = require(host, session)
    require_programs(settings)
    return command(host, found)


def require(host: Host, session: Session | None) -> Session:
    """Return the session that leads to a host. Raises UsageError (64) for one that Session Manager does not know."""
    if not _INSTANCE.fullmatch(host.id):
        raise UsageError(f"`{host.name}` is not an EC2 instance", todo="omit `--via ssm`, or remove its tag `ngp:via`")
    if session is None or not is_there(session):
        raise UsageError("the sandbox has no Session Manager", todo="omit `--via ssm`")
    return session


def require_programs(settings: Settings) -> None:
    """Raise MissingError (69) if the AWS CLI or its plugin is missing."""
    path = settings.environ.get("PATH")
    lacking = [name for name in ("aws", _PLUGIN) if not shutil.which(name, path=path)]
    if lacking:
        todo = "install the AWS CLI and its Session Manager plugin, or connect directly with `--via ssh`"
        raise MissingError(f"{' and '.join(lacking)} not found on PATH; Session Manager needs it", todo=todo)


def command(host: Host, session: Session) -> tuple[str, ...]:
    """Return the command of `proxy`, unchecked."""
    target = ("--target", host.id, "--document-name", _DOCUMENT, "--parameters", f"portNumber={host.port}")
    profile = ("--profile", session.profile) if session.profile else ()
    return ("aws", "ssm", "start-session", *target, "--region", session.region, *profile)


def is_default(host: Host) -> bool:
    """Return whether to use Session Manager if the command line does not choose.

    The tag `ngp:via` decides; without it, Session Manager is used if no security group opens the port of sshd.
    """
    tag = host.tags.get(_TAG, "")
    return tag == "ssm" if tag else host.opens_ssh is False


def is_there(session: Session | None) -> bool:
    """Return whether a region has a Session Manager; the sandbox has none."""
    return session is not None and not session.env.get("AWS_ENDPOINT_URL")


Proxy = Callable[["Host"], tuple[str, ...]]  # () for a host that is reached from here
