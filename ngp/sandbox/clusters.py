"""Repairs of moto's Kubernetes clusters (EKS), as `repairs` has them for the rest."""

from __future__ import annotations

import uuid
from typing import Any

_CLUSTER = "{0}/clusters/(?P<name>[^/]+)"
# What moto does not listen to. An ARN within a path has slashes once it is decoded.
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
_ADDON_VERSION = "v1.0.0-eksbuild.1"  # where none was asked for


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    from moto.eks import urls

    urls.url_paths.update(dict.fromkeys(_PATHS, urls.response.dispatch))
    give_clusters_a_network()
    keep_nodes_as_they_were_asked_for()
    keep_addons()
    keep_access_entries()
    take_changes()


def give_clusters_a_network() -> None:
    """A cluster knows its VPC and has a security group in it, and says who may call it and how it is supported."""
    response_class = _responses()
    create, delete = response_class.create_cluster, response_class.delete_cluster

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

    response_class.create_cluster = create_cluster
    response_class.delete_cluster = delete_cluster


def keep_nodes_as_they_were_asked_for() -> None:
    """A group of nodes is renewed and repaired as asked for, and has no SSH key and no own disk unless it was."""
    response_class = _responses()
    create = response_class.create_nodegroup

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

    response_class.create_nodegroup = create_nodegroup


def keep_addons() -> None:
    """Add-ons can be made, with the roles of their pods, described, changed and deleted."""
    response_class = _responses()
    response_class.create_addon = _create_addon
    response_class.describe_addon = lambda response: _answer({"addon": _find(response, "addons", "addonName")})
    response_class.update_addon = _update_addon
    response_class.delete_addon = lambda response: _answer({"addon": _take(response, "addons", "addonName")})
    response_class.describe_pod_identity_association = lambda response: _answer(
        {"association": _find(response, "identities", "associationId")}
    )


def keep_access_entries() -> None:
    """Who may call a cluster, and by which policies, can be said, looked at and taken back."""
    response_class = _responses()
    response_class.create_access_entry = _create_access_entry
    response_class.describe_access_entry = lambda response: _answer(
        {"accessEntry": _find(response, "entries", "principalArn")}
    )
    response_class.delete_access_entry = _delete_access_entry
    response_class.associate_access_policy = _associate_access_policy
    response_class.list_associated_access_policies = lambda response: _answer(
        {"associatedAccessPolicies": list(_find(response, "entries", "principalArn")["policies"].values())}
    )
    response_class.disassociate_access_policy = _disassociate_access_policy


def take_changes() -> None:
    """A cluster takes another version, network access, support and logs, its nodes another version and template."""
    response_class = _responses()

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

    response_class.update_cluster_version = update_cluster_version
    response_class.update_cluster_config = update_cluster_config
    response_class.update_nodegroup_version = update_nodegroup_version
    response_class.describe_update = lambda _response: _update()


def _create_addon(response: Any) -> Any:
    from moto.core.utils import utcnow

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
    from moto.core.utils import utcnow

    principal, cluster = response._get_param("principalArn"), _cluster(response)
    if principal in _held(response, "entries"):
        from moto.eks.exceptions import ResourceInUseException

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
    from moto.core.utils import utcnow

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


def _responses() -> Any:
    from moto.eks.responses import EKSResponse

    return EKSResponse


def _cluster(response: Any) -> Any:
    return response.eks_backend.describe_cluster(response._get_param("name"))


def _held(response: Any, kind: str) -> dict[str, dict[str, Any]]:
    """What a cluster holds of a kind, by name."""
    held: dict[str, dict[str, Any]] = _cluster(response).__dict__.setdefault(f"own_{kind}", {})
    return held


def _find(response: Any, kind: str, parameter: str) -> dict[str, Any]:
    from moto.eks.exceptions import ResourceNotFoundException

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
    from moto.ec2.models import ec2_backends

    return ec2_backends[response.current_account][response.region]


def _update() -> Any:
    """What was asked for is done at once."""
    return _answer({"update": {"id": str(uuid.uuid4()), "status": "Successful"}})


def _answer(result: Any) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult(result)
