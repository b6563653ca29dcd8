"""The values of terraform.tfvars: common inputs, and one object per unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ngp.catalogue.module import SourceLocation

# Set by ngp.yaml and environment.yaml, never by terraform.tfvars.
FACTS = ("environment", "region", "project", "domain_name")

# Inputs at the top level of terraform.tfvars, for every unit that declares them.
COMMON_INPUTS = (
    "pre_tag",
    "post_tag",
    "service",
    "version_tag",
    "tags",
    "vpc_id",
    "vpc_cidr",
    "private_subnet_ids",
    "public_subnet_ids",
    "key_pair_name",
    "hosted_zone_id",
    "kms_key_arn",
    "permissions_boundary_arn",
    "log_retention_days",
    "alarm_topic_arn",
)


@dataclass(frozen=True)
class WrittenValue:
    """A written value: a Python value (numbers: int or Decimal) and the place of its key."""

    value: Any
    place: SourceLocation


@dataclass(frozen=True)
class Values:
    """terraform.tfvars. `objects` are top-level keys with an object that are not common inputs (the values of a unit,
    if it exists); `strangers` are other unknown keys."""

    path: Path
    common: Mapping[str, WrittenValue] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, WrittenValue]] = field(default_factory=dict)
    strangers: Mapping[str, WrittenValue] = field(default_factory=dict)
    places: Mapping[str, SourceLocation] = field(default_factory=dict)  # of every top-level key

    def unit(self, name: str) -> Mapping[str, WrittenValue]:
        """Return the values of a unit, by input."""
        return self.objects.get(name, {})
