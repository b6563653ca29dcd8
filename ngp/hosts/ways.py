"""Ways to connect to hosts: directly, through Session Manager, or with a key for one command."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ngp.errors import UsageError
from ngp.hosts import instance_connect, session_manager
from ngp.hosts.host import WAYS, Host
from ngp.hosts.logins import Login
from ngp.hosts.selected import SelectedHosts

Note = Callable[[Sequence[Host]], None]  # the hosts that are reached through Session Manager by default


@contextmanager
def enter(selected: SelectedHosts, login: Login, via: str, note: Note) -> Iterator[Login]:
    """Give `login` by one of WAYS, "" for the default of each host; what that way needs is gone at the end.

    Raises UsageError (64) or MissingError (69) before anything begins if a running host cannot be reached so.
    """
    _require_known(via)
    if not via:
        yield by_default(selected, login, note)
    elif via == "ssm":
        yield _through_session_manager(selected, login, selected.running())
    elif via == "instance-connect":
        with _with_fresh_key(selected, login) as pushed:
            yield pushed
    else:
        yield login


def by_default(selected: SelectedHosts, login: Login, note: Note) -> Login:
    """Return `login` for a line that names no way: through Session Manager where no port is open.

    `note` gets these hosts. Raises MissingError (69) if that is so and the AWS CLI or its plugin is missing.
    """
    closed = [host for host in selected.hosts if host.is_up and _is_closed(selected, host)]
    if not closed:
        return login
    login = _through_session_manager(selected, login, closed)
    note(closed)
    return login


def choose(selected: SelectedHosts, via: str, user: str = "", *, needs_programs: bool = True) -> dict[Host, str]:
    """Return the way to each running host, one of WAYS, without a connection or a key. Raises what `enter` raises.

    Without `needs_programs`, this machine may lack what Session Manager needs here.
    """
    _require_known(via)
    reach = selected.reach
    found = {host: via or ("ssm" if _is_closed(selected, host) else "ssh") for host in selected.running()}
    for host, way in found.items():
        if way == "ssm":
            session_manager.require(host, reach.session(host.environment))
            if needs_programs:
                session_manager.require_programs(reach.settings)
        if way == "instance-connect":
            instance_connect.require(host, reach.session(host.environment), user or host.user)
    return found


def _require_known(via: str) -> None:
    if via not in ("", *WAYS):
        raise UsageError(f"unknown way `--via {via}`", todo=f"use one of: {', '.join(WAYS)}")


def _is_closed(selected: SelectedHosts, host: Host) -> bool:
    """Return whether a host is reached through Session Manager if the command line names no way."""
    is_default = session_manager.is_default(host)
    return is_default and session_manager.is_there(selected.reach.session(host.environment))


def _through_session_manager(selected: SelectedHosts, login: Login, hosts: Sequence[Host]) -> Login:
    reach = selected.reach
    found = {host: session_manager.proxy(host, reach.session(host.environment), reach.settings) for host in hosts}
    return replace(login, proxy=lambda host: found.get(host, ()))


@contextmanager
def _with_fresh_key(selected: SelectedHosts, login: Login) -> Iterator[Login]:
    reach = selected.reach

    def push(host: Host, user: str, public: str) -> None:
        session = reach.session(host.environment)
        assert session is not None  # `require` has looked
        instance_connect.push(host, session, user, public)

    for host in selected.running():
        instance_connect.require(host, reach.session(host.environment), login.user or host.user)
    with instance_connect.fresh_key(reach.folder, reach.settings, push) as key:
        yield replace(login, key=key)
