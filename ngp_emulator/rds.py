"""Patches for moto's RDS: the maintenance window, parameter groups and what an instance reports."""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend
from moto.rds.responses import RDSResponse

MOTO = "5.2.5"  # the version that this file patches
_REMEMBERED = (
    "enable_performance_insights",
    "performance_insights_retention_period",
    "database_insights_mode",
    "engine_lifecycle_support",
)
_GROUP, _NAME = "db_parameter_group_name", "new_db_instance_identifier"
# Changes that wait unless the request says ApplyImmediately: moto's name → the name of the pending value. RDS makes all
# other changes immediately: password, port, windows, security groups, insights.
_WAITING = {
    "allocated_storage": "AllocatedStorage",
    "backup_retention_period": "BackupRetentionPeriod",
    "ca_certificate_identifier": "CACertificateIdentifier",
    "db_instance_class": "DBInstanceClass",
    "db_subnet_group_name": "DBSubnetGroupName",
    "dedicated_log_volume": "DedicatedLogVolume",
    "enable_iam_database_authentication": "IAMDatabaseAuthenticationEnabled",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "license_model": "LicenseModel",
    "multi_az": "MultiAZ",
    "storage_type": "StorageType",
    "storage_throughput": "StorageThroughput",  # after the type: moto accepts it for some types only
    _NAME: "DBInstanceIdentifier",
}
_RESTARTING = ("db_instance_class", "engine_version")  # these restart it, so it has the parameters of its group
_UPKEEP: WeakKeyDictionary[Any, _Upkeep] = WeakKeyDictionary()  # not an attribute: moto copies attributes to replicas


@dataclass
class _Upkeep:
    """Changes and a reboot that a database instance waits for."""

    changes: dict[str, Any] = field(default_factory=dict)
    needs_reboot: bool = False


def add_resource_ids() -> None:
    """Give every database instance its own resource ID."""

    def resource_id(database: Any) -> str:
        made: str = database.__dict__.setdefault("own_resource_id", f"db-{uuid.uuid4().hex[:26].upper()}")
        return made

    database_class: Any = DBInstance
    database_class.dbi_resource_id = property(resource_id, lambda _database, _value: None)


def keep_performance_insights() -> None:
    """Keep the Performance Insights, Database Insights and extended support settings of a database instance."""
    database_class: Any = DBInstance
    begin = database_class.__init__

    def init(database: Any, *arguments: Any, **named: Any) -> None:
        begin(database, *arguments, **named)
        for name in _REMEMBERED:
            setattr(database, name, named.get(name))

    database_class.__init__ = init
    database_class.performance_insights_enabled = property(lambda database: bool(database.enable_performance_insights))


def mark_user_parameters() -> None:
    """Mark the parameters that a request sets with the source `user`: Terraform ignores all others."""
    group_class: Any = DBParameterGroup
    update = group_class.update_parameters

    def update_parameters(group: Any, parameters: Any) -> None:
        update(group, [{**each, "Source": "user"} for each in parameters])

    group_class.update_parameters = update_parameters


def delay_changes() -> None:
    """Keep what RDS changes in the maintenance window as pending values until a request applies it immediately.

    The window never opens. A pending major upgrade keeps the parameter group of the old version in use.
    """
    response_class: Any = RDSResponse
    database_class: Any = DBInstance
    modify = response_class.modify_db_instance

    def modify_db_instance(response: Any) -> Any:
        database = _find(response)
        waiting = _split(response.backend, database, response.params)
        result = modify(response)
        _upkeep(database).changes = waiting
        return result

    def pending_modified_values(database: Any) -> dict[str, Any]:
        return {_WAITING[name]: value for name, value in _upkeep(database).changes.items() if name in _WAITING}

    response_class.modify_db_instance = modify_db_instance
    database_class.pending_modified_values = property(pending_modified_values)


def report_pending_reboots() -> None:
    """Report `pending-reboot` for another parameter group until the database instance reboots."""
    response_class: Any = RDSResponse
    database_class: Any = DBInstance
    modify, reboot = response_class.modify_db_instance, response_class.reboot_db_instance

    def modify_db_instance(response: Any) -> Any:
        database = _find(response)
        group, restarting = database.db_parameter_group_name, [getattr(database, name) for name in _RESTARTING]
        result = modify(response)
        if restarting != [getattr(database, name) for name in _RESTARTING]:
            _upkeep(database).needs_reboot = False
        elif group != database.db_parameter_group_name:
            _upkeep(database).needs_reboot = True
        return result

    def reboot_db_instance(response: Any) -> Any:
        result = reboot(response)
        _upkeep(_find(response)).needs_reboot = False
        return result

    def statuses(database: Any) -> list[dict[str, str]]:
        status = "pending-reboot" if _upkeep(database).needs_reboot else "in-sync"
        names = [group.name for group in database.db_parameter_groups()]
        return [{"DBParameterGroupName": name, "ParameterApplyStatus": status} for name in names]

    response_class.modify_db_instance = modify_db_instance
    response_class.reboot_db_instance = reboot_db_instance
    database_class.db_parameter_group_status_list = property(statuses)


def refuse_to_delete_used_parameter_groups() -> None:
    """Refuse to delete a parameter group that a database instance uses."""
    backend_class: Any = RDSBackend
    delete = backend_class.delete_db_parameter_group

    def delete_db_parameter_group(backend: Any, db_parameter_group_name: str) -> Any:
        if any(each.db_parameter_group_name == db_parameter_group_name for each in backend.databases.values()):
            raise RDSClientError(
                "InvalidDBParameterGroupState",
                "One or more database instances are still members of this parameter group "
                f"{db_parameter_group_name}, so the group cannot be deleted",
            )
        return delete(backend, db_parameter_group_name)

    backend_class.delete_db_parameter_group = delete_db_parameter_group


def _find(response: Any) -> Any:
    return response.backend.describe_db_instances(response.params.get("DBInstanceIdentifier"))[0]


def _upkeep(database: Any) -> _Upkeep:
    return _UPKEEP.setdefault(database, _Upkeep())


def _split(backend: Any, database: Any, asked: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the changes that wait after a request; take them out of it, or put them in if it applies them now."""
    waiting = _upkeep(database).changes
    given = {name: asked[name] for name in (*_WAITING, _GROUP) if asked.get(name) is not None}
    if asked.get("apply_immediately"):
        asked.update({name: waiting[name] for name in (*_WAITING, _GROUP) if name in waiting and name not in given})
        return {}
    held = {name: value for name, value in given.items() if _waits(database, name, value)}
    families = ("", _family(backend, _group(database)))
    if "engine_version" in held and _family(backend, given.get(_GROUP, "")) not in families:
        held[_GROUP] = given[_GROUP]
    for name in held:
        del asked[name]
    return {name: value for name, value in waiting.items() if name not in given} | held


def _waits(database: Any, name: str, value: Any) -> bool:
    """Return whether RDS leaves a change to the window. A value that the instance has already is no change."""
    if name == _GROUP:
        return False
    now = getattr(database, "db_instance_identifier" if name == _NAME else name, None)
    if name == "backup_retention_period":
        return bool(now) != bool(value)  # only turning backups on or off waits
    return bool(now != value)


def _group(database: Any) -> str:
    name: str = database.db_parameter_groups()[0].name
    return name


def _family(backend: Any, group: str) -> str:
    """Return the engine and major version of a parameter group, "" if unknown."""
    found = backend.db_parameter_groups.get(group)
    return str(found.family) if found else ""


PATCHES = (
    add_resource_ids,
    keep_performance_insights,
    mark_user_parameters,
    delay_changes,
    report_pending_reboots,
    refuse_to_delete_used_parameter_groups,
)
