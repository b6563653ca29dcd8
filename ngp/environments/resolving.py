"""An environment with everything that can be known before Terraform starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ngp.catalogue.module import Catalogue
from ngp.environments.binding import UnitBindings
from ngp.environments.environment import Environment, Platform
from ngp.environments.values import Values


@dataclass(frozen=True)
class Resolved:
    """`edges` says for each unit which units feed it. A module of a pinned catalogue (`catalogue: REF`) has the path
    of its copy, environments/ENV/modules/NAME, whether that has been rendered or not."""

    platform: Platform
    environment: Environment
    catalogue: Catalogue
    values: Values
    bindings: Mapping[str, UnitBindings]
    edges: Mapping[str, tuple[str, ...]]


def resolve(platform: Platform, name: str) -> Resolved:
    """Load, bind and check an environment; raise one UsageError with every finding."""
    raise NotImplementedError
