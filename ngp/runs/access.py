"""How a run reaches AWS: the sandbox it starts, or the operator's account; never one in place of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments.environment import StateKind, Target
from ngp.errors import MissingError
from ngp.runs import units

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.environments.environment import Environment
    from ngp.environments.resolving import Resolved
    from ngp.settings import Settings


@dataclass(frozen=True)
class Access:
    """`env` is all of AWS that a child process may see; `session` is the door to the same account."""

    env: Mapping[str, str]
    session: Session
    endpoint: str  # "" for a real account


def open_access(
    resolved: Resolved, settings: Settings, note: Callable[[str], None], *, may_start: bool = True
) -> Access:
    """Reach the environment's target; a sandbox is started (with `may_start`) and seeded where it is not yet."""
    environment = resolved.environment
    if environment.target is Target.SANDBOX:
        return _sandbox(resolved, settings, note, may_start=may_start)
    return open_real(environment, settings)


def open_real(environment: Environment, settings: Settings) -> Access:
    """Reach a real account with the shell's credentials; nothing is asked of it yet."""
    from ngp.aws import access
    from ngp.aws.session import Role, Session

    env = access.real(settings.environ, environment.region)
    assumed = environment.assume_role
    role = Role(assumed.arn, assumed.external_id, assumed.session_name) if assumed else None
    return Access(env, Session(env, profile=environment.profile, role=role), "")


def _sandbox(resolved: Resolved, settings: Settings, note: Callable[[str], None], *, may_start: bool) -> Access:
    from ngp.aws import access
    from ngp.aws.session import Session
    from ngp.sandbox import seed, server

    environment, platform = resolved.environment, resolved.platform
    running = server.status(platform.workspace)
    if running is None and not may_start:
        raise MissingError(
            "the sandbox is not running",
            why="its resources and states lived in its memory",
            todo=f"ngp apply {environment.name}",
        )
    if running is None:
        running = server.start(platform.workspace, settings.environ)
        note(f"started the sandbox at {running.url}; it lives until `ngp sandbox stop`")
    env = access.sandbox(settings.environ, running.url, environment.region, environment.account)
    session = Session(env)
    bucket = units.place(resolved, "").bucket if platform.state is StateKind.S3 else ""
    seed.seed(session, region=environment.region, domain=environment.domain, bucket=bucket)
    return Access(env, session, running.url)
