"""Shared by commands for hosts: their options, and the hosts that a command line selects."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands import completion, options
from ngp.errors import UsageError
from ngp.hosts.host import WAYS
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.hosts.host import Host
    from ngp.hosts.logins import Login
    from ngp.hosts.selected import SelectedHosts
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
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="show the hosts and how ngp would connect to them, but connect to none")
]
First = Annotated[bool, typer.Option("--first", "-1", help="use the first host if several match")]


@dataclass(frozen=True)
class Filters:
    """Options that filter the selected hosts."""

    tags: Tags = None
    unit: UnitName = ""
    packages: Packages = None


@dataclass(frozen=True)
class ConnectionOptions:
    """Options for the connection to hosts."""

    user: User = ""
    config: SshConfig = None
    via: Via = ""


@dataclass(frozen=True)
class HostRequest:
    """The host selection of a command line."""

    selection: str
    filters: Filters = Filters()
    project: str = ""
    fresh: bool = False


def find(context: options.Context, asked: HostRequest) -> SelectedHosts:
    """Return the hosts that a line means, whatever they are doing. Raises what `Reach.hosts` raises."""
    from ngp.hosts import reach, selected, selector

    note = partial(terminal.say, context.settings)
    way = reach.open_reach(context.settings, context.cwd, note, fresh=asked.fresh, named=asked.project)
    way.ask = lambda question: options.ask(context, question, flag="AWS_SESSION_TOKEN")
    filters = asked.filters
    wanted = selector.parse_filter(filters.tags or (), filters.unit, filters.packages or ())
    return selected.select(way, asked.selection, wanted)


def at_work(context: options.Context, hosts: SelectedHosts) -> SelectedHosts:
    """Return `SelectedHosts.at_work`, and print on stderr which hosts are not running."""
    from ngp.views import hosts as view

    running = hosts.at_work()
    view.print_left_out(context.settings, [host for host in hosts.hosts if not host.is_up])
    return running


def enter(
    context: options.Context, hosts: SelectedHosts, way: ConnectionOptions, limit_s: float = 0
) -> AbstractContextManager[Login]:
    """Return what gives the login to hosts; `limit_s` as in `SelectedHosts.login`. Raises what `ways.enter` raises."""
    from ngp.hosts import ways
    from ngp.views import hosts as view

    login = hosts.login(way.user, ssh_config(context, way.config), limit_s)
    return ways.enter(hosts, login, way.via, partial(view.print_session_manager, context.settings))


def dry_rows(
    context: options.Context, hosts: SelectedHosts, batches: Sequence[Sequence[Host]], way: ConnectionOptions
) -> list[dict[str, Any]]:
    """Return the hosts of a dry run, in batches, as `dry_runs.rows`. Raises what `enter` raises; connects to none."""
    from ngp.hosts import ways
    from ngp.views import dry_runs

    ssh_config(context, way.config)
    return dry_runs.rows(batches, ways.choose(hosts, way.via, way.user), way.user)


def require_no_rest(context: options.Context) -> None:
    """Raise UsageError (64) for words after ``--`` that nothing would use."""
    if context.terraform_args:
        raise UsageError("this command takes nothing after `--`", where=f"-- {' '.join(context.terraform_args)}")


def remote_command(context: options.Context) -> str:
    """Return the words behind ``--``, joined by blanks as ssh does. Raises UsageError (64) without any."""
    if not context.terraform_args:
        raise UsageError("no command given", todo="write it after `--`: ngp host exec ENV -- uptime")
    return " ".join(context.terraform_args)


def has_terminal(context: options.Context) -> bool:
    """Return whether a person is at both ends of this process."""
    import sys

    return sys.stdin is not None and sys.stdin.isatty() and context.settings.stdout_is_terminal


def piped_input(hosts: SelectedHosts, *, ignored: bool) -> AbstractContextManager[Spool | None]:
    """Return a reader of the piped input, for every host; None if there is none."""
    from ngp import stdio
    from ngp.hosts import spooling

    return spooling.open_spool(None if ignored else stdio.piped_input(), hosts.reach.folder)


def ssh_config(context: options.Context, path: Path | None) -> Path | None:
    """Return the path of `--ssh-config`. Raises UsageError (64) if it is no file."""
    if path is not None and not (context.cwd / path).is_file():
        raise UsageError("this file does not exist", where=str(context.cwd / path), todo="pass an ssh_config file")
    return context.cwd / path if path else None
