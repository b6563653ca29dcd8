"""Patches for moto's EKS: networks, updates, add-ons and access entries of clusters."""

from __future__ import annotations

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.eks import urls
from moto.eks.exceptions import InvalidParameterException, ResourceInUseException, ResourceNotFoundException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

MOTO = "5.2.5"  # the version that this file patches
_CLUSTER = "{0}/clusters/(?P<name>[^/]+)"
# Paths that moto does not serve. An ARN in a path has slashes once it is decoded.
_PATHS = (
    f"{_CLUSTER}/addons$",
    f"{_CLUSTER}/addons/(?P<addonName>.+)$",
    f"{_CLUSTER}/access-entries$",
    f"{_CLUSTER}/access-entries/(?P<principalArn>.+)$",
    f"{_CLUSTER}/pod-identity-associations/(?P<associationId>.+)$",
    f"{_CLUSTER}/updates$",
    f"{_CLUSTER}/updates/(?P<updateId>.+)$",
    f"{_CLUSTER}/node-groups/(?P<nodegroupName>[^/]+)/update-version$",
)
_ADDON_VERSION = "v1.0.0-eksbuild.1"  # if the request names none
_BACKEND: Any = EKSBackend
_RESPONSES: Any = EKSResponse


def add_paths() -> None:
    """Serve the requests for add-ons, access entries and updates."""
    urls.url_paths.update(dict.fromkeys(_PATHS, urls.response.dispatch))


def add_cluster_network() -> None:
    """Give a cluster its VPC and a security group, and return its access and support settings."""
    create, delete = _RESPONSES.create_cluster, _RESPONSES.delete_cluster

    def create_cluster(response: Any) -> Any:
        result = create(response)
        cluster = _cluster(response)
        for attribute, name in (("access_config", "accessConfig"), ("upgrade_policy", "upgradePolicy")):
            setattr(cluster, attribute, response._get_param(name))
        ec2, network = _ec2(response), cluster.resources_vpc_config
        vpc_id = ec2.get_subnet(network["subnetIds"][0]).vpc_id
        group = ec2.create_security_group(f"eks-cluster-sg-{cluster.name}", "Made by EKS", vpc_id=vpc_id)
        network.update(vpcId=vpc_id, clusterSecurityGroupId=group.id)
        return result

    def delete_cluster(response: Any) -> Any:
        group_id = _cluster(response).resources_vpc_config["clusterSecurityGroupId"]
        result = delete(response)
        _ec2(response).delete_security_group(group_id=group_id)
        return result

    _RESPONSES.create_cluster = create_cluster
    _RESPONSES.delete_cluster = delete_cluster


def keep_node_group_settings() -> None:
    """Keep the update, repair, SSH and disk settings of a node group; invent none."""
    create = _RESPONSES.create_nodegroup

    def create_nodegroup(response: Any) -> Any:
        result = create(response)
        group = _cluster(response).nodegroups[response._get_param("nodegroupName")]
        for attribute, name in (
            ("update_config", "updateConfig"),
            ("node_repair_config", "nodeRepairConfig"),
            ("remote_access", "remoteAccess"),
            ("disk_size", "diskSize"),
        ):
            setattr(group, attribute, response._get_param(name))
        return result

    _RESPONSES.create_nodegroup = create_nodegroup


def add_addons() -> None:
    """Add add-ons and the pod identity associations of their service accounts."""
    _RESPONSES.create_addon = _create_addon
    _RESPONSES.describe_addon = lambda response: _answer({"addon": _find(response, "addons", "addonName")})
    _RESPONSES.update_addon = _update_addon
    _RESPONSES.delete_addon = lambda response: _answer({"addon": _take(response, "addons", "addonName")})
    _RESPONSES.describe_pod_identity_association = lambda response: _answer(
        {"association": _find(response, "identities", "associationId")}
    )


def add_access_entries() -> None:
    """Add access entries and their access policies."""
    _RESPONSES.create_access_entry = _create_access_entry
    _RESPONSES.describe_access_entry = lambda response: _answer(
        {"accessEntry": _find(response, "entries", "principalArn")}
    )
    _RESPONSES.delete_access_entry = _delete_access_entry
    _RESPONSES.associate_access_policy = _associate_access_policy
    _RESPONSES.list_associated_access_policies = lambda response: _answer(
        {"associatedAccessPolicies": list(_find(response, "entries", "principalArn")["policies"].values())}
    )
    _RESPONSES.disassociate_access_policy = _disassociate_access_policy


def apply_updates() -> None:
    """Update the version, network access, support and logs of a cluster, the version and template of its nodes."""

    def update_cluster_version(response: Any) -> Any:
        _cluster(response).version = response._get_param("version")
        return _update()

    def update_cluster_config(response: Any) -> Any:
        cluster = _cluster(response)
        cluster.resources_vpc_config.update(response._get_param("resourcesVpcConfig") or {})
        cluster.logging = response._get_param("logging") or cluster.logging
        cluster.upgrade_policy = response._get_param("upgradePolicy") or cluster.upgrade_policy
        return _update()

    def update_nodegroup_version(response: Any) -> Any:
        group = _cluster(response).nodegroups[response._get_param("nodegroupName")]
        group.version = response._get_param("version") or group.version
        group.launch_template = response._get_param("launchTemplate") or group.launch_template
        return _update()

    _RESPONSES.update_cluster_version = update_cluster_version
    _RESPONSES.update_cluster_config = update_cluster_config
    _RESPONSES.update_nodegroup_version = update_nodegroup_version
    _RESPONSES.describe_update = lambda _response: _update()


def refuse_contradicting_sizes() -> None:
    """Refuse a node group whose minimum size is above the desired one, or the desired one above the maximum."""
    create, update = _BACKEND.create_nodegroup, _BACKEND.update_nodegroup_config

    def create_nodegroup(backend: Any, *arguments: Any, **named: Any) -> Any:
        _require_sizes(named.get("scaling_config") or {})
        return create(backend, *arguments, **named)

    def update_nodegroup_config(backend: Any, *arguments: Any, **named: Any) -> Any:
        group = backend.describe_nodegroup(named["cluster_name"], named["nodegroup_name"])
        _require_sizes({**(group.scaling_config or {}), **(named.get("scaling_config") or {})})
        return update(backend, *arguments, **named)

    _BACKEND.create_nodegroup = create_nodegroup
    _BACKEND.update_nodegroup_config = update_nodegroup_config


def _create_addon(response: Any) -> Any:
    name, cluster = response._get_param("addonName"), _cluster(response)
    addon = {
        "addonName": name,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "addonVersion": response._get_param("addonVersion") or _ADDON_VERSION,
        "addonArn": _arn(response, "addon", cluster.name, name, str(uuid.uuid4())),
        "createdAt": utcnow(),
        "modifiedAt": utcnow(),
        "tags": response._get_param("tags") or {},
        "configurationValues": response._get_param("configurationValues"),
        "podIdentityAssociations": _identify(response, name),
    }
    _held(response, "addons")[name] = addon
    return _answer({"addon": addon})


def _update_addon(response: Any) -> Any:
    addon = _find(response, "addons", "addonName")
    for name in ("addonVersion", "configurationValues"):
        addon[name] = response._get_param(name) or addon[name]
    if response._get_param("podIdentityAssociations") is not None:
        addon["podIdentityAssociations"] = _identify(response, addon["addonName"])
    return _update()


def _identify(response: Any, addon: str) -> list[str]:
    """The ARNs of associations of an add-on's service accounts with roles, as it was asked for."""
    cluster, made = _cluster(response).name, []
    for each in response._get_param("podIdentityAssociations") or []:
        name = f"a-{uuid.uuid4().hex[:17]}"
        made.append(_arn(response, "podidentityassociation", cluster, name))
        _held(response, "identities")[name] = {
            **each,
            "clusterName": cluster,
            "associationId": name,
            "associationArn": made[-1],
            "ownerArn": addon,
        }
    return made


def _create_access_entry(response: Any) -> Any:
    principal, cluster = response._get_param("principalArn"), _cluster(response)
    if principal in _held(response, "entries"):
        raise ResourceInUseException(message="The specified access entry resource is already in use on this cluster.")
    entry = {
        "clusterName": cluster.name,
        "principalArn": principal,
        "accessEntryArn": _arn(response, "access-entry", cluster.name, str(uuid.uuid4())),
        "createdAt": utcnow(),
        "modifiedAt": utcnow(),
        "kubernetesGroups": response._get_param("kubernetesGroups") or [],
        "tags": response._get_param("tags") or {},
        "username": response._get_param("username") or principal,
        "type": response._get_param("type") or "STANDARD",
        "policies": {},
    }
    _held(response, "entries")[principal] = entry
    return _answer({"accessEntry": entry})


def _delete_access_entry(response: Any) -> Any:
    _take(response, "entries", "principalArn")
    return _answer({})


def _associate_access_policy(response: Any) -> Any:
    entry, policy = _find(response, "entries", "principalArn"), response._get_param("policyArn")
    association = {
        "policyArn": policy,
        "accessScope": response._get_param("accessScope"),
        "associatedAt": utcnow(),
        "modifiedAt": utcnow(),
    }
    entry["policies"][policy] = association
    return _answer({"associatedAccessPolicy": association})


def _disassociate_access_policy(response: Any) -> Any:
    _find(response, "entries", "principalArn")["policies"].pop(response._get_param("policyArn"), None)
    return _answer({})


def _cluster(response: Any) -> Any:
    return response.eks_backend.describe_cluster(response._get_param("name"))


def _held(response: Any, kind: str) -> dict[str, dict[str, Any]]:
    """What a cluster holds of a kind, by name."""
    held: dict[str, dict[str, Any]] = _cluster(response).__dict__.setdefault(f"own_{kind}", {})
    return held


def _find(response: Any, kind: str, parameter: str) -> dict[str, Any]:
    name = response._get_param(parameter)
    held = _held(response, kind)
    if name not in held:
        raise ResourceNotFoundException(message=f"No {parameter} found: {name}.")
    return held[name]


def _take(response: Any, kind: str, parameter: str) -> dict[str, Any]:
    found = _find(response, kind, parameter)
    del _held(response, kind)[response._get_param(parameter)]
    return found


def _arn(response: Any, kind: str, *parts: str) -> str:
    backend = response.eks_backend
    return f"arn:{backend.partition}:eks:{backend.region_name}:{backend.account_id}:{kind}/{'/'.join(parts)}"


def _ec2(response: Any) -> Any:
    return ec2_backends[response.current_account][response.region]


def _update() -> Any:
    """What was asked for is done at once."""
    return _answer({"update": {"id": str(uuid.uuid4()), "status": "Successful"}})


def _answer(result: Any) -> Any:
    return ActionResult(result)


def _require_sizes(scaling: dict[str, Any]) -> None:
    least, desired, most = (scaling.get(name) for name in ("minSize", "desiredSize", "maxSize"))
    if least is not None and desired is not None and least > desired:
        raise InvalidParameterException(
            message=f"Minimum capacity {least} can't be greater than desired size {desired}"
        )
    if desired is not None and most is not None and desired > most:
        raise InvalidParameterException(message=f"desired size {desired} can't be greater than maximum capacity {most}")


PATCHES = (
    add_paths,
    add_cluster_network,
    keep_node_group_settings,
    add_addons,
    add_access_entries,
    apply_updates,
    refuse_contradicting_sizes,
)
