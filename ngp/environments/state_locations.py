"""State locations of units, by the files of their platform and environment."""

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
    """Return the location of a unit's state.

    Local states are in `workspace`: by default that of the platform, by its absolute path.
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
    """Return the location of one state in the workspace; all others are beside it and its folder."""
    return locations.derive(platform.name, "", "", "_", "_", locations.LOCAL, workspace=platform.workspace)
