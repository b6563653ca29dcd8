"""Selection of hosts: Moltar's `qa/web` and words that must all match, and filters by tag, unit and package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ngp.errors import UsageError, nearest
from ngp.hosts.host import Host

_LISTED = 20  # hosts that an error lists


@dataclass(frozen=True)
class Selector:
    """An environment and a cluster; "" is any."""

    environment: str = ""
    cluster: str = ""

    def __str__(self) -> str:
        return f"{self.environment}/{self.cluster}" if self.cluster or not self.environment else self.environment

    def matches(self, host: Host) -> bool:
        """Return whether a host matches."""
        return self.environment in ("", host.environment) and self.cluster in ("", host.cluster)


@dataclass(frozen=True)
class Filter:
    """Properties that a host must have: tags with their values, a unit, packages."""

    tags: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    packages: tuple[str, ...] = ()

    def matches(self, host: Host) -> bool:
        """Return whether a host has all of them."""
        has_tags = all(host.tags.get(name) == value for name, value in self.tags.items())
        return has_tags and self.unit in ("", host.unit) and set(self.packages) <= set(host.packages)


def parse(text: str) -> Selector:
    """Read ``qa``, ``qa/web``, ``/web`` or ``/``. Raises UsageError (64) for more than one slash."""
    environment, _, cluster = text.partition("/")
    if "/" in cluster:
        raise UsageError(f"`{text}` is not ENV or ENV/CLUSTER", todo="write `qa`, `qa/web`, `/web` or `/`")
    return Selector(environment, cluster)


def parse_filter(tags: Iterable[str], unit: str, packages: Iterable[str]) -> Filter:
    """Read `--tag NAME=VALUE`, `--unit` and `--package`. Raises UsageError (64) for a tag without ``=``."""
    found = {}
    for text in tags:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"`--tag {text}` has no value", todo="write `--tag NAME=VALUE`")
        found[name] = value
    return Filter(found, unit, tuple(packages))


def narrow(hosts: Sequence[Host], selector: Selector, wanted: Filter | None = None) -> list[Host]:
    """Return the hosts that a selector and a filter mean, in their order.

    Raises UsageError (64) for a cluster that no host has, with the nearest name.
    """
    found = [host for host in hosts if selector.matches(host)]
    if selector.cluster and hosts and not found:
        known = {host.cluster for host in hosts if host.cluster and selector.environment in ("", host.environment)}
        raise UsageError(f"no host belongs to the cluster `{selector.cluster}`", todo=nearest(selector.cluster, known))
    return [host for host in found if wanted is None or wanted.matches(host)]


def matching(hosts: Sequence[Host], words: Sequence[str]) -> list[Host]:
    """Return the hosts that all words match a part of; a word that is a whole name or id means that host only.

    A word may hold several, divided by slashes, as in Moltar: ``web/10.0``.
    """
    parts = [part for word in words for part in word.split("/") if part]
    whole = [host for host in hosts if len(parts) == 1 and parts[0] in (host.name, host.id)]
    return whole or [host for host in hosts if all(any(part in text for text in host.words) for part in parts)]


def choose(hosts: Sequence[Host], words: Sequence[str], *, first: bool = False) -> Host:
    """Return the one host that the words mean; without words the only one. `first` takes the first of several.

    Raises UsageError (64) that lists the hosts if there are several, or if there is none.
    """
    text = " ".join(words)
    found = matching(hosts, words)
    if len(found) == 1 or (found and first):
        return found[0]
    if found:
        what = f"`{text}` matches {len(found)} hosts" if text else f"{len(found)} hosts match"
        raise UsageError(what, why=_names(found), todo="add a word that only one of them has, or -1 for the first")
    if not hosts:
        raise none_running()
    raise UsageError(f"no host matches `{text}`", why=f"the hosts are {_names(hosts)}")


def none_running(selector: Selector | None = None, down: Sequence[Host] = ()) -> UsageError:
    """Return the error for a selection without running hosts; `down` are those of it that do not run."""
    about = f" in `{selector}`" if selector else ""
    todo = "list all hosts: ngp host list ENV"
    if down:
        states = ", ".join(sorted({host.state.value for host in down}))
        return UsageError(f"no running hosts found{about}", why=f"{_names(down)}: {states}", todo=todo)
    return UsageError(f"no hosts found{about}", todo=todo)


def _names(hosts: Sequence[Host]) -> str:
    shown = [f"{host.name} ({host.id})" if host.id != host.name else host.name for host in hosts[:_LISTED]]
    more = f" and {len(hosts) - _LISTED} more" if len(hosts) > _LISTED else ""
    return f"{', '.join(shown)}{more}"
