"""Where the state of a unit lies, by the files of its platform and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ngp.environments.environment import StateMode
from ngp.state import locations

if TYPE_CHECKING:
    from ngp.environments.environment import Environment, Platform
    from ngp.workspace import Workspace


def locate(
    platform: Platform, environment: Environment, unit: str, workspace: Workspace | None = None
) -> locations.StateLocation:
    """Return where the state of a unit lies.

    States on the disk lie in `workspace`: by default that of the platform, by its absolute path.
    """
    return locations.derive(
        platform.name,
        environment.account,
        environment.region,
        environment.name,
        unit,
        kind=platform.state.value,
        bucket=platform.state_bucket,
        single=environment.state is StateMode.SINGLE,
        workspace=workspace or platform.workspace,
    )


def on_disk(platform: Platform) -> locations.StateLocation:
    """Return the place of one state in the workspace; beside it and its folder lie all others."""
    return locations.derive(platform.name, "", "", "_", "_", locations.LOCAL, workspace=platform.workspace)
