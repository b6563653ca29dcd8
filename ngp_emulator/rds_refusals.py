"""Patches for moto's RDS: storage and upgrades that RDS refuses, with its error codes and messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance
from moto.rds.responses import RDSResponse

MOTO = "5.2.5"  # the version that this file patches
_ENGINES = ("mariadb", "mysql", "postgres")
# RDS user guide, gp3 storage: from this size on, RDS stripes the volume, and only then it takes other figures.
_STRIPED_GIB = 400
_BASELINES = ((3000, 125), (12000, 500))  # IOPS and MiB/s below and above that size
_COMBINATION = "InvalidParameterCombination"


def report_storage_baselines() -> None:
    """Report the IOPS and the throughput of gp3 storage that nobody set."""
    database_class: Any = DBInstance
    for index, name in enumerate(("iops", "storage_throughput")):
        setattr(database_class, name, _baseline(index, f"_{name}"))


def refuse_invalid_storage() -> None:
    """Refuse IOPS and throughput that RDS does not accept for the size of gp3 storage."""
    for name in ("create_db_instance", "modify_db_instance", "restore_db_instance_from_db_snapshot"):
        _check_before(name, _require_storage)


def refuse_invalid_upgrades() -> None:
    """Refuse an older version of PostgreSQL, and a new major one without AllowMajorVersionUpgrade."""
    _check_before("modify_db_instance", _require_upgrade)


def _baseline(index: int, name: str) -> property:
    def read(database: Any) -> Any:
        said = database.__dict__.get(name)
        is_gp3 = database.engine in _ENGINES and getattr(database, "storage_type", "") == "gp3"
        return said or (_BASELINES[database.allocated_storage >= _STRIPED_GIB][index] if is_gp3 else None)

    def write(database: Any, value: Any) -> None:
        database.__dict__[name] = value

    return property(read, write)


def _check_before(name: str, check: Callable[[Any, Mapping[str, Any]], None]) -> None:
    response_class: Any = RDSResponse
    known = getattr(response_class, name)

    def checked(response: Any) -> Any:
        check(response, response.params)
        return known(response)

    setattr(response_class, name, checked)


def _require_storage(response: Any, asked: Mapping[str, Any]) -> None:
    database = response.backend.databases.get(asked.get("db_instance_identifier"))
    engine = asked.get("engine") or getattr(database, "engine", "")
    kind = asked.get("storage_type") or getattr(database, "storage_type", "")
    size = asked.get("allocated_storage") or getattr(database, "allocated_storage", 0)
    iops, throughput = asked.get("iops"), asked.get("storage_throughput")
    if engine not in _ENGINES or kind != "gp3" or not size or (iops is None and throughput is None):
        return
    if int(size) < _STRIPED_GIB:
        said = f"You can't specify IOPS or storage throughput for engine {engine} and a storage size less than 400."
        raise RDSClientError(_COMBINATION, said)
    for what, value, least in zip(("iops", "storage throughput"), (iops, throughput), _BASELINES[True], strict=True):
        if value is not None and int(value) < least:
            said = f"Invalid {what} value for engine name {engine} and storage type gp3: {value}"
            raise RDSClientError(_COMBINATION, said)


def _require_upgrade(response: Any, asked: Mapping[str, Any]) -> None:
    database = response.backend.databases.get(asked.get("db_instance_identifier"))
    wanted = asked.get("engine_version")
    if database is None or database.engine != "postgres" or not wanted:
        return
    there, then = _numbers(database.engine_version), _numbers(wanted)
    if then < there[: len(then)]:
        raise RDSClientError(_COMBINATION, f"Cannot upgrade postgres from {database.engine_version} to {wanted}")
    if then[0] > there[0] and not asked.get("allow_major_version_upgrade"):
        said = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        raise RDSClientError(_COMBINATION, said)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


PATCHES = (report_storage_baselines, refuse_invalid_storage, refuse_invalid_upgrades)
