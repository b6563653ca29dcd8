"""The system's ssh in the place of this process."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from ngp import processes
from ngp.errors import MissingError
from ngp.hosts import openssh, user_config
from ngp.hosts.host import Host
from ngp.hosts.logins import Login
from ngp.settings import Settings


def become(
    host: Host, login: Login, words: Sequence[str], settings: Settings, cwd: Path, note: Callable[[str], None]
) -> int:
    """Become ssh and never return; wait for its exit code where a key must be deleted afterwards.

    `words` are a command, or more options of ssh; `note` gets the command line. Raises MissingError (69) without ssh.
    """
    argv = _command(host, login, words, settings, cwd)
    note(shlex.join(argv))
    request = processes.ProcessRequest(argv, cwd, settings.environ)
    try:
        if login.key is None:
            processes.replace(request)
        login.key.push(host, login.user or host.user, login.key.public)
        code = processes.run_interactive(request, output=None)
    except FileNotFoundError:
        raise MissingError("`ssh` is not on PATH", todo="install OpenSSH's client (openssh-client)") from None
    return 128 - code if code < 0 else code


def _command(host: Host, login: Login, words: Sequence[str], settings: Settings, cwd: Path) -> tuple[str, ...]:
    """Return ssh's command line, with the host's keys also under the name of ssh_config that ssh looks them up by."""
    argv = openssh.login(host, words, login)
    if not login.trust.has_own(host):
        return argv
    found = user_config.load(argv, settings, cwd)
    (name,), (port,) = found.get("hostname", (host.address,)), found.get("port", (str(host.port),))
    known_as = openssh.key_name(host, name, port, *found.get("hostkeyalias", ()))
    path = login.trust.write_alias(host, known_as) if known_as else None
    return openssh.login(host, words, login, [path] if path else [])
