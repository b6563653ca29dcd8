"""From `ENV[/CLUSTER]` to hosts: the environments, their sources, and the witness of their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ngp.environments import documents, platforms, state_locations
from ngp.environments.environment import Environment, Platform
from ngp.errors import MissingError, UsageError, nearest
from ngp.hosts import console, inventory, project, selector
from ngp.hosts.cloud import CloudSource
from ngp.hosts.host import Host
from ngp.hosts.states import StateSource
from ngp.hosts.static import FileSource
from ngp.hosts.trust import Trust

if TYPE_CHECKING:
    from pathlib import Path

    from ngp.aws.session import Session
    from ngp.hosts.project import Project
    from ngp.hosts.selector import Selector
    from ngp.settings import Settings

Note = Callable[[str], None]


@dataclass
class Reach:
    """The way to the hosts of a platform or, without one, of a project. `fresh` asks again what is kept for seconds.

    `project` names what the tag ``Project`` of the hosts holds; `ask` gets codes of an MFA device.
    """

    project: Project
    place: Path  # the platform's folder, or the one that ngp was called in
    platform: Platform | None
    settings: Settings
    note: Note
    fresh: bool = False
    ask: Callable[[str], str] = lambda _: ""
    _sessions: dict[str, Session | None] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The private folder for cached data about hosts."""
        if self.platform is not None:
            return self.platform.workspace.hosts
        about = hashlib.sha256(f"{self.place} {self.project.name}".encode()).hexdigest()[:16]
        return self.settings.cache / "hosts" / about

    def trust(self) -> Trust:
        """The host keys that are trusted."""
        return Trust(self.folder, self.settings.home, self._witness)

    def hosts(self, meant: Selector) -> list[Host]:
        """Return the hosts that a selector means, in a stable order.

        A sandbox that does not run has no host, so it hides none of other environments. Raises UsageError (64) for an
        unknown environment or cluster, MissingError (69) where neither the cloud nor states can be reached and
        hosts.yaml names no host.
        """
        static = FileSource(self.place, meant.environment).hosts()
        asked = {name: self._of(name) for name in self._environments(meant, static)}
        failed = {name: one.problem for name, one in asked.items() if one.problem is not None}
        found = inventory.collect([*asked.values(), _Known(static)])
        for name, problem in failed.items():
            is_empty = bool(found) and isinstance(problem, _NoSandboxError)
            if not (asked[name].found or static or is_empty):
                raise problem
        for name, problem in failed.items():
            where = "ngp takes them from its states" if asked[name].found else "they are missing"
            self.note(f"cannot ask AWS for the hosts of {name or self.project.name}, so {where}: {problem}")
        return selector.narrow(found, meant)

    def session(self, environment: str) -> Session | None:
        """Return the AWS session of an environment, None if its sandbox does not run."""
        if environment not in self._sessions:
            self._sessions[environment] = self._open(environment)
        return self._sessions[environment]

    def _environments(self, meant: Selector, static: Sequence[Host]) -> list[str]:
        """The environments to ask the cloud about; "" is all of a project without a platform."""
        platform = self.platform
        if platform is None:
            return [meant.environment]
        known = documents.names(platform)
        if not meant.environment:
            return known
        if meant.environment in known:
            return [meant.environment]
        if static:
            return []
        others = [host.environment for host in FileSource(self.place).hosts()]
        raise UsageError(
            f"the environment `{meant.environment}` does not exist", todo=nearest(meant.environment, [*known, *others])
        )

    def _of(self, environment: str) -> _Known:
        """The hosts of an environment from the cloud, else from states."""
        cache = inventory.Cache(self.folder / "cache", 0 if self.fresh else inventory.KEPT_S)
        try:
            return _Known(cache.recall(self._key(environment), lambda: self._ask(environment)))
        except MissingError as error:
            return _Known(self._from_states(environment), error)

    def _key(self, environment: str) -> str:
        """Whose hosts these are: another account, region or sandbox is another key."""
        if self.platform is None:
            return f"{project.find_profile(self.project.name, self.settings.environ, self.settings.home)} {environment}"
        found = documents.load(self.platform, environment)
        return f"{self.project.name} {found.target.value} {found.account} {found.region} {found.profile} {environment}"

    def _ask(self, environment: str) -> list[Host]:
        session = self.session(environment)
        if session is None:
            todo = f"to start it and create them again: ngp apply {environment}"
            raise _NoSandboxError("the sandbox is not running", why="its hosts exist only while it runs", todo=todo)
        return CloudSource(session, self.project.name, environment).hosts()

    def _from_states(self, environment: str) -> list[Host]:
        """The hosts that states know; none where states cannot be reached either."""
        platform = self.platform
        if platform is None:
            return []
        document = documents.load(platform, environment)
        try:
            return StateSource(lambda: _texts(platform, document, self.session), platform.name, environment).hosts()
        except MissingError:
            return []

    def _witness(self, host: Host) -> Sequence[str]:
        if host.host_keys or host.source == "file":
            return host.host_keys
        session = self.session(host.environment)
        return console.keys(session, host.id, self.note) if session else ()

    def _open(self, environment: str) -> Session | None:
        from ngp.runs import access

        if self.platform is not None:
            document = documents.load(self.platform, environment)
            return access.open_store(document, self.platform.workspace, self.settings, None)
        return project.open_session(self.project, self.settings, self.ask)


class _NoSandboxError(MissingError):
    """No machine of an environment exists: its sandbox does not run."""


@dataclass(frozen=True)
class _Known:
    """A source whose hosts are in hand; `problem` says why the cloud could not be asked for them."""

    found: Sequence[Host]
    problem: MissingError | None = None

    def hosts(self) -> list[Host]:
        return list(self.found)


def _texts(platform: Platform, environment: Environment, session: Callable[[str], Session | None]) -> dict[str, str]:
    """The texts of an environment's states by their places."""
    from ngp.environments.environment import StateKind, StateMode
    from ngp.runs import units
    from ngp.state import reading

    names = [units.SINGLE] if environment.state is StateMode.SINGLE else list(environment.units)
    reached = None if platform.state is StateKind.LOCAL else session(environment.name)
    if reached is None and platform.state is not StateKind.LOCAL:
        raise MissingError(f"cannot reach the states of `{environment.name}`", todo=f"ngp doctor {environment.name}")
    found = {}
    for name in names:
        place = state_locations.locate(platform, environment, name)
        text = reading.read(place, reached)  # type: ignore[arg-type]  # states on the disk need no session
        if text is not None:
            found[str(place)] = text
    return found


def open_reach(settings: Settings, cwd: Path, note: Note, *, fresh: bool = False, named: str = "") -> Reach:
    """Return the way to the hosts of the platform that `cwd` lies in, else of the project by Moltar's files.

    `named` is the project that the line names. Raises UsageError (64) where there is neither.
    """
    try:
        place = platforms.find(cwd)
    except UsageError:
        return Reach(project.find(cwd, settings.environ, named), cwd, None, settings, note, fresh)
    platform = platforms.load(place)
    return Reach(project.Project(named or platform.name, str(place)), place, platform, settings, note, fresh)
