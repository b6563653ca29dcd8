"""The selected hosts of a command line, and how to reach them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ngp.errors import UsageError
from ngp.hosts import host as hosts_
from ngp.hosts import selector as selectors
from ngp.hosts.host import Host
from ngp.hosts.logins import Login
from ngp.hosts.reach import Reach
from ngp.hosts.selector import Filter, Selector


@dataclass(frozen=True)
class SelectedHosts:
    """Selected hosts; `reach` leads to their environments."""

    reach: Reach
    selector: Selector
    hosts: list[Host]

    def login(self, user: str = "", config: Path | None = None, limit_s: float = 0) -> Login:
        """Return how to log in to them from here; all attempts for a host take at most `limit_s` if that is not 0."""
        login = Login(self.reach.trust(), user, config)
        if not limit_s:
            return login
        connect_s, login_s = min(limit_s, login.connect_s), min(limit_s, login.login_s)
        return replace(login, connect_s=connect_s, login_s=login_s, patience_s=min(limit_s, login.patience_s))

    def running(self) -> list[Host]:
        """Return those that are up. Raises UsageError (64) if there are none."""
        found = [host for host in self.hosts if host.is_up]
        if not found:
            raise selectors.none_running(self.selector, self.hosts)
        return found

    def at_work(self) -> SelectedHosts:
        """Return those that are up, with names that differ, for what tells several of them apart by their names.

        Raises UsageError (64) where there is none.
        """
        return replace(self, hosts=hosts_.distinct(self.running()))

    def having(self, packages: Sequence[str]) -> SelectedHosts:
        """Return those with all these packages in their tag. Raises UsageError (64) if there are none."""
        found = [host for host in self.hosts if {*packages} <= {*host.packages}]
        if not found:
            raise UsageError(
                f"no running host in `{self.selector}` has {' and '.join(packages)} in its tag `Packages`",
                todo="give other packages, or use `ngp package install`, which ignores this tag",
            )
        return replace(self, hosts=found)

    def one(self, words: Sequence[str], *, first: bool = False) -> SelectedHosts:
        """Return the running host that the words mean; without words the only one. `first` takes the first of several.

        Raises UsageError (64) that lists the hosts if there are several, or if there is none.
        """
        running = self.running()
        down = [host for host in self.hosts if not host.is_up]
        if not selectors.matching(running, words) and (meant := selectors.matching(down, words)):
            raise selectors.none_running(self.selector, meant)
        return replace(self, hosts=[selectors.choose(running, words, first=first)])


def select(reach: Reach, selection: str, wanted: Filter) -> SelectedHosts:
    """Return the hosts of ``ENV[/CLUSTER]`` that a filter takes, whatever they are doing.

    Raises what `Reach.hosts` raises.
    """
    meant = selectors.parse(selection)
    return SelectedHosts(reach, meant, selectors.narrow(reach.hosts(meant), meant, wanted))
