"""AWS access of a run: either the sandbox, which it starts, or the operator's account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments.environment import StateKind, Target
from ngp.errors import MissingError
from ngp.runs import units

if TYPE_CHECKING:
    from threading import Event

    from ngp.aws.session import Session
    from ngp.environments.environment import Environment
    from ngp.environments.resolving import Resolved
    from ngp.pool.client import PoolClient
    from ngp.settings import Settings
    from ngp.terraform.serving import Opener
    from ngp.workspace import Workspace


_NOWHERE = "http://127.0.0.1:9"  # the discard port: a sandbox that does not run


@dataclass(frozen=True)
class Access:
    """`env` has all AWS variables of child processes; `session` calls the same account."""

    env: Mapping[str, str]
    session: Session
    endpoint: str  # "" for a real account
    warm: PoolClient | None = None  # to the platform's pool

    def opener(self, own: Opener) -> Opener:
        """What opens the provider proxy: the pool if one runs, else `own`."""
        return self.warm.open_session if self.warm else own


def open_access(
    resolved: Resolved,
    settings: Settings,
    note: Callable[[str], None],
    *,
    may_start: bool = True,
    stop: Event | None = None,
) -> Access:
    """Open the environment's target. A sandbox is started (with `may_start`) and seeded if necessary.

    Setting `stop` ends the wait for an answer of AWS.
    """
    from ngp.pool import client

    environment = resolved.environment
    warm = client.find(resolved.platform.workspace.path, settings.environ, environment.name, note)
    if environment.target is Target.SANDBOX:
        url = _start(resolved, settings, note, may_start=may_start, stop=stop)
        return _sandbox(resolved, settings, url, warm, stop)
    return open_real(environment, settings, warm, stop)


def open_states(
    resolved: Resolved,
    settings: Settings,
    note: Callable[[str], None],
    *,
    may_start: bool = False,
    stop: Event | None = None,
) -> Access:
    """Reach the environment's states. A sandbox that does not run is not started unless it may: it would be empty.

    Raises RefusedError (3) for credentials of another account, MissingError (69) for a sandbox that does not run.
    """
    found = open_access(resolved, settings, note, may_start=may_start, stop=stop)
    require_account(resolved, found.session)
    return found


def open_real(
    environment: Environment, settings: Settings, warm: PoolClient | None = None, stop: Event | None = None
) -> Access:
    """Open a real account with the shell's credentials, without a call."""
    from ngp.aws import access
    from ngp.aws.identity import Role
    from ngp.aws.session import Session

    env = access.real(settings.environ, environment.region)
    assumed = environment.assume_role
    role = Role(assumed.arn, assumed.external_id, assumed.session_name) if assumed else None
    session = Session(env, profile=environment.profile, role=role, stop=stop)
    return Access(env, session, "", warm)


def open_store(
    environment: Environment, workspace: Workspace, settings: Settings, stop: Event | None
) -> Session | None:
    """Open the account with the states of an environment, even a removed one; None if its sandbox does not run.

    Raises RefusedError (3) if the credentials belong to another account.
    """
    from ngp.aws import access
    from ngp.aws.session import Session

    if environment.target is Target.AWS:
        session = open_real(environment, settings, stop=stop).session
        session.require_account(environment.account)
        return session
    from ngp.sandbox import server

    running = server.status(workspace.path)
    if running is None:
        return None
    return Session(access.sandbox(settings.environ, running.url, environment.region, environment.account), stop=stop)


def require_account(resolved: Resolved, session: Session) -> None:
    """Raise RefusedError (3) if the credentials belong to another account, where all states would seem empty.

    Makes no call for a sandbox, whose keys ngp makes, and none without an account to compare, as with local states.
    """
    if resolved.environment.target is Target.AWS and resolved.platform.state is StateKind.S3:
        session.require_account(resolved.environment.account)


def _start(
    resolved: Resolved, settings: Settings, note: Callable[[str], None], *, may_start: bool, stop: Event | None
) -> str:
    """Return the address of the sandbox, started if necessary."""
    from ngp.sandbox import server

    environment, platform = resolved.environment, resolved.platform
    patience_s = server.PATIENCE_S if may_start else 0  # a run needs it; what only reads can do without
    running = server.status(platform.workspace.path, patience_s=patience_s, stop=stop)
    if running is None and not may_start and platform.state is StateKind.LOCAL:
        return _NOWHERE  # its states are local, and can be read
    if running is None and not may_start:
        raise MissingError(
            "the sandbox is not running",
            why="its resources and states exist only while it runs",
            todo=f"to start it and create them again: ngp apply {environment.name}",
        )
    if running is None:
        running = server.start(platform.workspace.path, settings.environ)
        note(f"started the sandbox at {running.url}; it runs until `ngp sandbox stop`")
    return running.url


def _sandbox(resolved: Resolved, settings: Settings, url: str, warm: PoolClient | None, stop: Event | None) -> Access:
    from ngp.aws import access
    from ngp.aws.session import Session
    from ngp.sandbox import seed

    environment, platform = resolved.environment, resolved.platform
    env = access.sandbox(settings.environ, url, environment.region, environment.account)
    session = Session(env, stop=stop)
    if url == _NOWHERE:
        return Access(env, session, url, warm)
    bucket = units.place(resolved, "").bucket if platform.state is StateKind.S3 else ""
    seed.ensure(platform.workspace.path, session, environment.region, environment.domain, bucket)
    return Access(env, session, url, warm)
