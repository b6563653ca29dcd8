"""Protection of environments: only an approved bundle or a signed emergency may change them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ngp.environments.environment import Target
from ngp.errors import RefusedError
from ngp.runs.bundle import rules
from ngp.runs.results import Verb

if TYPE_CHECKING:
    from ngp.environments.environment import Environment, Platform
    from ngp.environments.resolving import Resolved
    from ngp.runs.request import RunRequest


def clear(request: RunRequest, resolved: Resolved) -> RunRequest:
    """Return the request as one that may change its environment, so that the remote is asked once a run.

    Raises like `require_none` if nobody has approved the change of a protected environment.
    """
    changes = request.verb is not Verb.PLAN and not request.is_dry_run
    if not changes or request.is_cleared or request.authority is not None:
        return request
    require_none(resolved, request.verb)
    return replace(request, is_cleared=True)


def require_none(resolved: Resolved, verb: Verb) -> None:
    """Raise RefusedError (3) if ngp.yaml protects the environment, here or on the remote's default branch.

    Asks the remote. Raises MissingError (69) if it does not answer.
    """
    platform, name = resolved.platform, resolved.environment.name
    if is_protected(platform, resolved.environment):
        make = f"ngp {'destroy' if verb is Verb.DESTROY else 'plan'} {name} --out FILE"
        raise RefusedError(
            f"`{name}` is protected",
            where=str(platform.path / "ngp.yaml"),
            why="only an approved bundle, or a signed emergency, changes a protected environment",
            todo=f"{make}; have it approved (ngp bundle approve FILE); then ngp apply FILE",
        )


def is_protected(platform: Platform, environment: Environment) -> bool:
    """Return whether only an approved bundle or an emergency may change the environment. Asks the remote.

    The sandbox works offline and has nothing to protect: a clone that knows the default branch asks nobody.
    """
    if environment.target is Target.SANDBOX and rules.last_protected(platform) is not None:
        return rules.is_protected_here(platform, environment.name)
    return rules.is_protected(platform, environment.name)
