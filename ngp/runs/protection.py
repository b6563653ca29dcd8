"""Protected environments: only an approved bundle or a signed emergency changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngp.errors import RefusedError
from ngp.runs.bundle import rules
from ngp.runs.results import Verb

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved


def require_none(resolved: Resolved, verb: Verb) -> None:
    """Raise RefusedError (3) if ngp.yaml protects the environment, here or on the remote's default branch."""
    platform, name = resolved.platform, resolved.environment.name
    if rules.is_protected(platform, name):
        make = f"ngp {'destroy' if verb is Verb.DESTROY else 'plan'} {name} --out FILE"
        raise RefusedError(
            f"`{name}` is protected",
            where=str(platform.path / "ngp.yaml"),
            why="only an approved bundle, or a signed emergency, changes a protected environment",
            todo=f"{make}; let it be approved (ngp bundle approve FILE); then ngp apply FILE",
        )
