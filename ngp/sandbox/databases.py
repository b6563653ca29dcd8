"""Repairs of moto's databases and caches (RDS, ElastiCache), as `repairs` has them for the rest."""

from __future__ import annotations

import re
import uuid
from types import SimpleNamespace
from typing import Any

from ngp.sandbox import maintenance

_ARNS = re.compile(r"arn:aws:elasticache:[^:]*:\d*:(cluster|snapshot|subnetgroup|replicationgroup|user|usergroup):.+")
_REMEMBERED = (
    "enable_performance_insights",
    "performance_insights_retention_period",
    "database_insights_mode",
    "engine_lifecycle_support",
)
# What ModifyReplicationGroup changes in a group and its members, besides what moto knows.
_CHANGED = {
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SecurityGroupIds": "security_group_ids",
    "SnapshotWindow": "snapshot_window",
    "TransitEncryptionMode": "transit_encryption_mode",
}


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    maintenance.apply()
    give_databases_ids_of_their_own()
    remember_performance_insights()
    say_who_set_a_parameter()
    make_members_of_replication_groups()
    forget_replication_groups_that_are_gone()
    change_replication_groups()
    keep_user_groups()
    delete_subnet_groups_of_caches()


def give_databases_ids_of_their_own() -> None:
    """Every database instance has a resource id of its own, by which it is found among others."""
    from moto.rds.models import DBInstance

    def resource_id(database: Any) -> str:
        made: str = database.__dict__.setdefault("own_resource_id", f"db-{uuid.uuid4().hex[:26].upper()}")
        return made

    database_class: Any = DBInstance
    database_class.dbi_resource_id = property(resource_id, lambda _database, _value: None)


def remember_performance_insights() -> None:
    """A database instance says whether Performance Insights is on, for how long and in which mode, and its support."""
    from moto.rds.models import DBInstance

    database_class: Any = DBInstance
    begin = database_class.__init__

    def init(database: Any, *arguments: Any, **named: Any) -> None:
        begin(database, *arguments, **named)
        for name in _REMEMBERED:
            setattr(database, name, named.get(name))

    database_class.__init__ = init
    database_class.performance_insights_enabled = property(lambda database: bool(database.enable_performance_insights))


def say_who_set_a_parameter() -> None:
    """A parameter of a database that was set says so (its source is the user): Terraform passes over others."""
    from moto.rds.models import DBParameterGroup

    group_class: Any = DBParameterGroup
    update = group_class.update_parameters

    def update_parameters(group: Any, parameters: Any) -> None:
        update(group, [{**each, "Source": "user"} for each in parameters])

    group_class.update_parameters = update_parameters


def make_members_of_replication_groups() -> None:
    """A replication group has as many nodes as were asked for, and each can be described as a cache cluster."""
    from moto.elasticache.models import ElastiCacheBackend

    backend_class: Any = ElastiCacheBackend
    create = backend_class.create_replication_group

    def create_replication_group(backend: Any, **asked: Any) -> Any:
        if asked.get("num_cache_clusters") and not asked.get("replicas_per_node_group"):
            asked["replicas_per_node_group"] = asked["num_cache_clusters"] - 1
        group = create(backend, **asked)
        for name in group.member_clusters:
            backend.cache_clusters[name] = _Member(backend, group, name)
        return group

    backend_class.create_replication_group = create_replication_group


class _Member:
    """A node of a replication group: what is not its own is its group's."""

    def __init__(self, backend: Any, group: Any, name: str) -> None:
        self.group, self.cache_cluster_id = group, name
        self.arn = f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:cluster:{name}"
        self.cache_cluster_status, self.num_cache_nodes = "available", 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.group, name)

    @property
    def security_groups(self) -> list[dict[str, str]]:
        return [{"SecurityGroupId": each, "Status": "active"} for each in self.group.security_group_ids or []]

    @property
    def cache_parameter_group(self) -> dict[str, str]:
        return {"CacheParameterGroupName": self.group.cache_parameter_group_name or self._default_parameters()}

    def _default_parameters(self) -> str:
        return f"default.{self.group.engine}{(self.group.engine_version or '7').split('.')[0]}"


def forget_replication_groups_that_are_gone() -> None:
    """A deleted replication group is gone, and its nodes with it."""
    from moto.elasticache.models import ElastiCacheBackend

    backend_class: Any = ElastiCacheBackend
    delete = backend_class.delete_replication_group

    def delete_replication_group(backend: Any, replication_group_id: str, retain_primary_cluster: Any) -> Any:
        members = list(getattr(backend.replication_groups.get(replication_group_id), "member_clusters", ()))
        group = delete(backend, replication_group_id, retain_primary_cluster)
        del backend.replication_groups[replication_group_id]
        for name in members:
            backend.cache_clusters.pop(name, None)
        return group

    backend_class.delete_replication_group = delete_replication_group


def change_replication_groups() -> None:
    """A replication group takes another version, parameters, windows, security groups and user groups."""
    from moto.elasticache.responses import ElastiCacheResponse

    response_class: Any = ElastiCacheResponse
    modify = response_class.modify_replication_group

    def modify_replication_group(response: Any) -> Any:
        result = modify(response)
        params = response._get_params()
        group = response.elasticache_backend.replication_groups[params["ReplicationGroupId"]]
        for name, attribute in _CHANGED.items():
            if params.get(name) is not None:
                setattr(group, attribute, params[name])
        kept = [each for each in group.user_group_ids if each not in params.get("UserGroupIdsToRemove", [])]
        group.user_group_ids = [*kept, *params.get("UserGroupIdsToAdd", [])]
        return result

    response_class.modify_replication_group = modify_replication_group


def keep_user_groups() -> None:
    """Groups of a cache's users can be made, described, changed and deleted."""
    from moto.elasticache.models import ElastiCacheBackend
    from moto.elasticache.responses import ElastiCacheResponse

    backend_class: Any = ElastiCacheBackend
    begin = backend_class.__init__

    def init(backend: Any, *arguments: Any, **named: Any) -> None:
        begin(backend, *arguments, **named)
        backend.arn_regex, backend.user_groups = _ARNS, {}

    backend_class.__init__ = init
    response_class: Any = ElastiCacheResponse
    response_class.create_user_group = _create_user_group
    response_class.describe_user_groups = _describe_user_groups
    response_class.modify_user_group = _modify_user_group
    response_class.delete_user_group = _delete_user_group


def delete_subnet_groups_of_caches() -> None:
    """The subnet group of a cache can be deleted."""
    from moto.core.responses import EmptyResult
    from moto.elasticache.responses import ElastiCacheResponse

    def delete_cache_subnet_group(response: Any) -> Any:
        backend, name = response.elasticache_backend, response._get_params()["CacheSubnetGroupName"]
        backend.describe_cache_subnet_groups(name)  # raises where there is none
        del backend.cache_subnet_groups[name]
        return EmptyResult()

    response_class: Any = ElastiCacheResponse
    response_class.delete_cache_subnet_group = delete_cache_subnet_group


def _create_user_group(response: Any) -> Any:
    backend, params = response.elasticache_backend, response._get_params()
    name = params["UserGroupId"]
    if name in backend.user_groups:
        raise _failure("UserGroupAlreadyExistsFault", f"User group {name} already exists.")
    for user in params.get("UserIds", []):
        backend.describe_users(user)  # raises where there is none
    group = SimpleNamespace(
        user_group_id=name,
        status="active",
        engine=params["Engine"].lower(),
        user_ids=list(params.get("UserIds", [])),
        minimum_engine_version="6.0",
        arn=f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:usergroup:{name}",
    )
    if params.get("Tags"):
        backend.tagging_service.tag_resource(group.arn, params["Tags"])
    backend.user_groups[name] = group
    return _answer(group)


def _describe_user_groups(response: Any) -> Any:
    wanted = response._get_params().get("UserGroupId")
    groups = response.elasticache_backend.user_groups
    return _answer({"UserGroups": [_user_group(response, wanted)] if wanted else list(groups.values())})


def _modify_user_group(response: Any) -> Any:
    params = response._get_params()
    group = _user_group(response, params["UserGroupId"])
    kept = [each for each in group.user_ids if each not in params.get("UserIdsToRemove", [])]
    group.user_ids = [*kept, *params.get("UserIdsToAdd", [])]
    return _answer(group)


def _delete_user_group(response: Any) -> Any:
    group = _user_group(response, response._get_params()["UserGroupId"])
    del response.elasticache_backend.user_groups[group.user_group_id]
    return _answer(group)


def _user_group(response: Any, name: str) -> Any:
    group = response.elasticache_backend.user_groups.get(name)
    if group is None:
        raise _failure("UserGroupNotFoundFault", f"User group {name} not found.")
    return group


def _answer(result: Any) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult(result)


def _failure(code: str, message: str) -> Exception:
    from moto.elasticache.exceptions import ElastiCacheException

    return ElastiCacheException(code, message)
