"""Patches for moto's ElastiCache: replication groups, user groups and subnet groups."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse

MOTO = "5.2.5"  # the version that this file patches
_ARNS = re.compile(r"arn:aws:elasticache:[^:]*:\d*:(cluster|snapshot|subnetgroup|replicationgroup|user|usergroup):.+")
# What ModifyReplicationGroup changes in a group and its members, in addition to what moto supports.
_CHANGED = {
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SecurityGroupIds": "security_group_ids",
    "SnapshotWindow": "snapshot_window",
    "TransitEncryptionMode": "transit_encryption_mode",
}
# Changes that wait unless the request says ApplyImmediately: moto's name → the API's. ElastiCache makes all other
# changes immediately: windows, security groups, users, snapshots.
_WAITING = {
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "cache_parameter_group_name": "CacheParameterGroupName",
}
_PENDING_OF_NODES = ("engine_version", "cache_node_type")  # what of that a node shows as pending
_PENDING: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def create_members() -> None:
    """Create as many nodes as a replication group asks for, each visible as a cache cluster."""
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
    """A node of a replication group. Attributes that it lacks come from the group."""

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


def delete_replication_groups() -> None:
    """Delete a replication group with its nodes; moto keeps it."""
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


def modify_replication_groups() -> None:
    """Change the version, parameters, windows, security groups and user groups of a replication group."""
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


def delay_changes() -> None:
    """Keep changes of a replication group's nodes pending until a request applies them immediately.

    Engine, version, node type and parameters wait for the maintenance window, which never comes here.
    """
    response_class: Any = ElastiCacheResponse
    group_class: Any = ReplicationGroup
    modify = response_class.modify_replication_group

    def modify_replication_group(response: Any) -> Any:
        group = response.elasticache_backend.replication_groups.get(response._get_param("ReplicationGroupId"))
        before = {name: getattr(group, name, None) for name in _WAITING}
        result = modify(response)
        asked = {name: getattr(group, name) for name, key in _WAITING.items() if response._get_param(key) is not None}
        waiting = _PENDING.get(group, {})
        if response._get_bool_param("ApplyImmediately"):
            _set(group, {name: value for name, value in waiting.items() if name not in asked})
            _PENDING.pop(group, None)
        else:
            _set(group, before)
            _PENDING[group] = {name: value for name, value in (waiting | asked).items() if value != before[name]}
        return result

    def pending_modified_values(group: Any) -> dict[str, Any]:
        return {_WAITING[name]: value for name, value in _PENDING.get(group, {}).items() if name in _PENDING_OF_NODES}

    response_class.modify_replication_group = modify_replication_group
    group_class.pending_modified_values = property(pending_modified_values)


def _set(group: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(group, name, value)


def add_user_groups() -> None:
    """Add user groups."""
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


def delete_subnet_groups() -> None:
    """Delete cache subnet groups, which moto cannot."""

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
    return ActionResult(result)


def _failure(code: str, message: str) -> Exception:
    return ElastiCacheException(code, message)


PATCHES = (
    create_members,
    delete_replication_groups,
    modify_replication_groups,
    delay_changes,
    add_user_groups,
    delete_subnet_groups,
)
