"""Repair of moto's database instances (RDS): what waits for the maintenance window, which never comes here."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

_GROUP, _NAME = "db_parameter_group_name", "new_db_instance_identifier"
# What waits unless the request says ApplyImmediately, as moto calls it → its name among the pending values. RDS changes
# everything else at once: password, port, windows, security groups, insights.
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
    "storage_throughput": "StorageThroughput",  # moto takes it for some types only: after the type
    _NAME: "DBInstanceIdentifier",
}
_RESTARTING = ("db_instance_class", "engine_version")  # with these it has the parameters of its group, too


@dataclass
class _Upkeep:
    """What a database instance waits for."""

    changes: dict[str, Any] = field(default_factory=dict)
    needs_reboot: bool = False


_UPKEEP: WeakKeyDictionary[Any, _Upkeep] = WeakKeyDictionary()  # moto copies what an instance has to its replicas


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    let_changes_of_databases_wait()
    tell_parameter_groups_that_need_a_reboot()


def let_changes_of_databases_wait() -> None:
    """What RDS changes in the maintenance window is a pending value until a request applies it at once.

    No window comes here. An upgrade that waits keeps the parameter group of the old major version in use.
    """
    from moto.rds.models import DBInstance
    from moto.rds.responses import RDSResponse

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


def tell_parameter_groups_that_need_a_reboot() -> None:
    """A database instance that got another parameter group needs a reboot for it, and says so until it has had one."""
    from moto.rds.models import DBInstance
    from moto.rds.responses import RDSResponse

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


def _find(response: Any) -> Any:
    return response.backend.describe_db_instances(response.params.get("DBInstanceIdentifier"))[0]


def _upkeep(database: Any) -> _Upkeep:
    return _UPKEEP.setdefault(database, _Upkeep())


def _split(backend: Any, database: Any, asked: MutableMapping[str, Any]) -> dict[str, Any]:
    """What waits after a request: taken out of it, or put into it where the request applies what waits."""
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
    """Whether RDS leaves a change to the window: it is none if the instance has that value."""
    if name == _GROUP:
        return False
    now = getattr(database, "db_instance_identifier" if name == _NAME else name, None)
    if name == "backup_retention_period":
        return bool(now) != bool(value)  # backups are turned on or off
    return bool(now != value)


def _group(database: Any) -> str:
    name: str = database.db_parameter_groups()[0].name
    return name


def _family(backend: Any, group: str) -> str:
    """The engine and major version that a parameter group is for; "" where it is not known."""
    found = backend.db_parameter_groups.get(group)
    return str(found.family) if found else ""
