"""Constraints on versions that AWS raises by itself while the code names them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UPGRADES = "auto_minor_version_upgrade"
COMBINED = frozenset({UPGRADES, "engine", "engine_version"})  # the arguments that are looked at together
_SERVICES: Mapping[str, str] = {
    "aws_db_instance": "RDS CreateDBInstance",
    "aws_elasticache_replication_group": "ElastiCache CreateReplicationGroup",
}
_REDIS = 6  # the first major version of Redis whose minor ones AWS raises


def drifts(type_: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield a version that AWS raises by itself while the code names it: path, rule, source.

    AWS accepts the pair, and never goes back to the version that the code names.
    """
    version, is_raised = known.get("engine_version", ""), str(known.get(UPGRADES)).lower() == "true"
    if type_ in _SERVICES and is_raised and _stays(type_, known.get("engine"), version):
        rule = f"is false where engine_version names a minor version ({version}): AWS upgrades it, and never goes back"
        yield UPGRADES, rule, f"AWS documentation: {_SERVICES[type_]}"


def defaults(type_: str, written: Mapping[str, Any], nulls: Sequence[str]) -> dict[str, Any]:
    """Return the values that AWS takes for the arguments that are not written, or are null."""
    return {UPGRADES: True} if type_ in _SERVICES and (UPGRADES not in written or UPGRADES in nulls) else {}


def _stays(type_: str, engine: object, version: object) -> bool:
    """Return whether a version names a minor one of an engine whose minor versions AWS raises."""
    if type_ == "aws_db_instance":
        return isinstance(engine, str) and names_minor(engine, version)
    return names_minor("postgres", version) and int(str(version).partition(".")[0]) >= _REDIS


def names_minor(engine: object, version: object) -> bool:
    """Return whether a version names a minor one. Only PostgreSQL's major versions have one part: MySQL's is 8.0."""
    parts = "{1,2}" if engine == "postgres" else "{2,}"
    return re.fullmatch(rf"[0-9]+(\.[0-9]+){parts}.*", str(version)) is not None
