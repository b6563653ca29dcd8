"""Where the value of each input of each unit comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ngp.environments.environment import OutputRef


class Source(Enum):
    """In the order in which they are asked."""

    FACT = "fact"
    UNIT = "unit"  # the unit's own object in terraform.tfvars
    COMMON = "common"  # top level of terraform.tfvars
    WIRE = "wire"
    GENERATED = "generated"  # an ephemeral secret that the rendered root makes
    SECRET = "secret"  # a reference, for an ephemeral input
    DEFAULT = "default"


@dataclass(frozen=True)
class Binding:
    """One bound input. `value` for FACT, UNIT, COMMON and SECRET (the reference); `wire` for WIRE."""

    source: Source
    value: Any = None
    wire: OutputRef | None = None


@dataclass(frozen=True)
class UnitBindings:
    """Every input of a unit that is bound, by input name; those left to their default are there as DEFAULT."""

    unit: str
    module: str
    inputs: Mapping[str, Binding]
