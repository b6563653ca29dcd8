"""What commands about hosts share: their options, and the hosts that a line means."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands import completion, options
from ngp.errors import MissingError, UsageError
from ngp.views import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ngp.hosts.host import Host
    from ngp.hosts.logins import Login
    from ngp.hosts.reach import Reach
    from ngp.hosts.selector import Selector
    from ngp.hosts.spooling import Spool

Selection = Annotated[
    str,
    typer.Argument(
        metavar="ENV[/CLUSTER]", help="an environment, or one of its clusters", autocompletion=completion.environments
    ),
]
Words = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="parts of the host's name, id or address; all must match")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="only hosts with this tag; repeatable")
]
UnitName = Annotated[str, typer.Option("--unit", metavar="UNIT", help="only hosts of this unit")]
Packages = Annotated[
    list[str] | None, typer.Option("--package", metavar="PACKAGE", help="only hosts of this package; repeatable")
]
ProjectName = Annotated[
    str, typer.Option("--project", metavar="NAME", help="the project; by default the folder names it")
]
User = Annotated[str, typer.Option("--user", "-l", metavar="NAME", help="user name on the host")]
SshConfig = Annotated[
    Path | None, typer.Option("--ssh-config", "-F", metavar="FILE", help="use this ssh_config file instead of yours")
]
WAYS = ("ssh", "ssm", "instance-connect")
Via = Annotated[
    str,
    typer.Option(
        "--via",
        metavar="|".join(WAYS),
        help="connect directly; through Session Manager (default if no SSH port is open); or with a one-minute key",
        autocompletion=completion.one_of(*WAYS),
    ),
]
Parallelism = Annotated[int, typer.Option("--parallelism", "-j", min=1, help="number of hosts at the same time")]
AT_ONCE = 32
Fresh = Annotated[bool, typer.Option("--fresh", help="ask AWS again instead of using an answer up to 20 seconds old")]
First = Annotated[bool, typer.Option("--first", "-1", help="use the first host if several match")]


@dataclass(frozen=True)
class Filters:
    """The options that choose among the hosts of a selection."""

    tags: Tags = None
    unit: UnitName = ""
    packages: Packages = None


@dataclass(frozen=True)
class ConnectionOptions:
    """The options that say how hosts are reached."""

    user: User = ""
    config: SshConfig = None
    via: Via = ""


@dataclass(frozen=True)
class HostRequest:
    """What a line says about hosts."""

    selection: str
    filters: Filters = Filters()
    project: str = ""
    fresh: bool = False


@dataclass(frozen=True)
class SelectedHosts:
    """The hosts that a line means, and the way to them."""

    reach: Reach
    selector: Selector
    hosts: list[Host]

    def login(self, context: options.Context, way: ConnectionOptions, limit_s: float = 0) -> Login:
        """Return how to log in to them from here, in no more than `limit_s` if that is not 0."""
        from ngp.hosts.logins import Login

        login = Login(self.reach.trust(), way.user, _file(context, way.config))
        if not limit_s:
            return login
        return replace(login, connect_s=min(limit_s, login.connect_s), login_s=min(limit_s, login.login_s))

    @contextmanager
    def entering(self, context: options.Context, login: Login, via: str) -> Iterator[Login]:
        """Give `login` by a way of WAYS; what that way needs is gone at the end.

        Raises UsageError (64) or MissingError (69) before anything begins if a running host cannot be reached so.
        """
        if via not in ("", *WAYS):
            raise UsageError(f"unknown way `--via {via}`", todo=f"use one of: {', '.join(WAYS)}")
        if not via:
            yield self.by_default(context, login)
        elif via == "ssm":
            yield self._through_session_manager(context, login, self.running())
        elif via == "instance-connect":
            with self._with_fresh_key(context, login) as pushed:
                yield pushed
        else:
            yield login

    def by_default(self, context: options.Context, login: Login) -> Login:
        """Return `login` for a line that names no way: through Session Manager where no port is open, and say so.

        Raises MissingError (69) if that is so and the AWS CLI or its plugin is missing.
        """
        from ngp.hosts import session_manager

        closed = [
            host
            for host in self.hosts
            if host.is_up
            and session_manager.is_default(host)
            and session_manager.is_there(self.reach.session(host.environment))
        ]
        if not closed:
            return login
        login = self._through_session_manager(context, login, closed)
        names = terminal.cell(closed[0].name) if len(closed) == 1 else terminal.amount(len(closed), "host")
        text = f"{names}: connecting through Session Manager; to connect directly: --via ssh"
        terminal.say(context.settings, text)
        return login

    def _through_session_manager(self, context: options.Context, login: Login, hosts: Sequence[Host]) -> Login:
        from ngp.hosts import session_manager

        found = {
            host: session_manager.proxy(host, self.reach.session(host.environment), context.settings) for host in hosts
        }
        return replace(login, proxy=lambda host: found.get(host, ()))

    @contextmanager
    def _with_fresh_key(self, context: options.Context, login: Login) -> Iterator[Login]:
        from ngp.hosts import instance_connect

        def push(host: Host, user: str, public: str) -> None:
            session = self.reach.session(host.environment)
            assert session is not None  # `require` has looked
            instance_connect.push(host, session, user, public)

        for host in self.running():
            instance_connect.require(host, self.reach.session(host.environment), login.user or host.user)
        with instance_connect.fresh_key(self.reach.folder, context.settings, push) as key:
            yield replace(login, key=key)

    def at_work(self) -> SelectedHosts:
        """Return those that are up, with names that differ, for what tells several of them apart by their names.

        Raises UsageError (64) where there is none.
        """
        from ngp.hosts import host

        return replace(self, hosts=host.distinct(self.running()))

    def running(self) -> list[Host]:
        """Return those that are up. Raises UsageError (64) where there is none."""
        from ngp.hosts import selector

        found = [host for host in self.hosts if host.is_up]
        if not found:
            raise selector.none_running(self.selector)
        return found


def find(context: options.Context, asked: HostRequest) -> SelectedHosts:
    """Return the hosts that a line means, whatever they are doing. Raises what `Reach.hosts` raises."""
    from ngp.hosts import reach, selector

    way = reach.open_reach(
        context.settings,
        context.cwd,
        lambda text: terminal.say(context.settings, text),
        fresh=asked.fresh,
        named=asked.project,
    )
    way.ask = lambda question: options.ask(context, question, flag="AWS_SESSION_TOKEN")
    meant = selector.parse(asked.selection)
    wanted = selector.parse_filter(asked.filters.tags or (), asked.filters.unit, asked.filters.packages or ())
    return SelectedHosts(way, meant, selector.narrow(way.hosts(meant), meant, wanted))


def require_no_rest(context: options.Context) -> None:
    """Raise UsageError (64) where words stand behind ``--`` that nobody would get."""
    if context.terraform_args:
        raise UsageError("this command takes nothing after `--`", where=f"-- {' '.join(context.terraform_args)}")


def remote_command(context: options.Context) -> str:
    """Return the words behind ``--``, joined by blanks as ssh does. Raises UsageError (64) without any."""
    if not context.terraform_args:
        raise UsageError("no command given", todo="write it after `--`: ngp host exec ENV -- uptime")
    return " ".join(context.terraform_args)


def become_ssh(context: options.Context, host: Host, login: Login) -> int:
    """Become ssh and never return; wait for its exit code where a key must be deleted afterwards."""
    from ngp import processes
    from ngp.hosts import openssh

    argv = openssh.login(host, context.terraform_args, login)
    terminal.say(context.settings, shlex.join(argv))
    request = processes.ProcessRequest(argv, context.cwd, context.settings.environ)
    try:
        if login.key is None:
            processes.replace(request)
        login.key.push(host, login.user or host.user, login.key.public)
        code = processes.attend(request, output=None)
    except FileNotFoundError:
        raise MissingError("`ssh` is not on PATH", todo="install OpenSSH's client (openssh-client)") from None
    return 128 - code if code < 0 else code


def has_terminal(context: options.Context) -> bool:
    """Return whether a person is at both ends of this process."""
    import sys

    return sys.stdin is not None and sys.stdin.isatty() and context.settings.stdout_is_terminal


@contextmanager
def piped_input(meant: SelectedHosts, *, ignored: bool) -> Iterator[Spool | None]:
    """Take what is piped into this process, for every host; None for a terminal, or where nothing can be read."""
    from ngp import files
    from ngp.hosts.spooling import Spool

    source = None if ignored else _piped()
    if source is None:
        yield None
        return
    with Spool(source, files.private_folder(meant.reach.folder)) as spool:
        yield spool


def _piped() -> int | None:
    """The descriptor of a stdin that is no terminal and can be read: that of nohup can only be written."""
    import fcntl
    import os
    import sys

    with suppress(OSError, ValueError):  # it was closed, or is no file
        source = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.fileno()
        if source is not None and fcntl.fcntl(source, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY:
            return source
    return None


def _file(context: options.Context, path: Path | None) -> Path | None:
    if path is not None and not (context.cwd / path).is_file():
        raise UsageError("this file does not exist", where=str(context.cwd / path), todo="pass an ssh_config file")
    return context.cwd / path if path else None
