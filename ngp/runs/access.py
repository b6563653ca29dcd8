"""How a run reaches AWS: the sandbox it starts, or the operator's account; never one in place of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngp.environments.environment import StateKind, Target
from ngp.errors import RefusedError
from ngp.state import places

if TYPE_CHECKING:
    from ngp.aws.session import Session
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
    from ngp.aws import access
    from ngp.aws.session import Session

    env = access.real(settings.environ, environment.region)
    return Access(env, Session(env, environment.profile, environment.assume_role), "")


def require_account(access: Access, resolved: Resolved) -> None:
    """Ask STS who we are and refuse (3) when that is not the environment's account."""
    actual, wanted = access.session.account_id(), resolved.environment.account
    if actual != wanted:
        raise RefusedError(
            f"these credentials are of account {actual}, `{resolved.environment.name}` belongs to {wanted}",
            where=str(resolved.environment.path / "environment.yaml"),
            todo="use the credentials of that account, or mend `account`",
        )


def _sandbox(resolved: Resolved, settings: Settings, note: Callable[[str], None]) -> Access:
    from ngp.aws import access
    from ngp.aws.session import Session
    from ngp.sandbox import seed, server

    environment, platform = resolved.environment, resolved.platform
    running = server.start(platform.workspace)
    if running.started:
        note(f"started the sandbox at {running.url}; it lives until `ngp sandbox stop`")
    env = access.sandbox(settings.environ, running.url, environment.region, environment.account)
    session = Session(env)
    bucket = ""
    if platform.state is StateKind.S3:
        bucket = places.derive(
            platform.name, environment.account, environment.region, environment.name, "", bucket=platform.state_bucket
        ).bucket
    seed.seed(session, region=environment.region, domain=environment.domain, bucket=bucket)
    return Access(env, session, running.url)
