"""Patches for moto's EC2: images, instances, launch templates, security groups and tags."""

from __future__ import annotations

import base64
import copy
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses import instances
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix, parse_user_data

from ngp_emulator import published

MOTO = "5.2.5"  # the version that this file patches
_BY_LAUNCH = "Primary network interface"  # moto's name for one that comes and goes with its instance


def add_public_images() -> None:
    """Add the images of `published.IMAGES` to every region, with their publishers as owners."""
    backend_class: Any = AmiBackend
    load = backend_class._load_amis

    def load_amis(backend: Any) -> None:
        load(backend)
        for image in published.IMAGES:
            backend.amis[image.id] = Ami(
                backend,
                image.id,
                name=image.name,
                owner_id=image.owner,
                owner_alias=image.owner_alias,
                architecture=image.architecture,
                product_codes={image.product_code} if image.product_code else None,
                root_device_name=image.root_device,
                root_device_type="ebs",
                virtualization_type="hvm",
                hypervisor="xen",
                public=True,
            )

    backend_class._load_amis = load_amis


def accept_changed_user_data() -> None:
    """Accept any user data in ModifyInstanceAttribute; moto decodes it twice."""
    module: Any = instances
    parse = module.parse_user_data

    def parse_user_data(value: Any) -> Any:
        if isinstance(value, bytes):
            return Base64EncodedString(base64.b64encode(value).decode("ascii"))
        return parse(value)

    module.parse_user_data = parse_user_data


def return_descriptions_of_group_rules() -> None:
    """Return the description of a security group rule that names another group."""

    def description(rule: Any) -> str | None:
        told: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
        return told

    rule_class: Any = SecurityGroupRule
    rule_class.description = property(description)


def separate_template_tags() -> None:
    """Keep a launch template's own tags apart from the tags of what it launches."""
    template_class: Any = LaunchTemplate
    create = template_class.create_version

    def create_version(template: Any, data: dict[str, Any], description: str) -> Any:
        kept = [each for each in data.get("TagSpecifications", []) if each["ResourceType"] != "launch-template"]
        return create(template, {**data, "TagSpecifications": kept} if kept else _without_tags(data), description)

    template_class.create_version = create_version


def keep_user_data_of_template_versions() -> None:
    """Keep the user data of later launch template versions, so that Auto Scaling can use them."""
    template_class: Any = LaunchTemplate
    create = template_class.create_version

    def create_version(template: Any, data: dict[str, Any], description: str) -> Any:
        given = data.get("UserData")
        kept = {**data, "UserData": parse_user_data(given)} if isinstance(given, str) else data
        return create(template, kept, description)

    template_class.create_version = create_version


def release_private_addresses() -> None:
    """Release the private addresses of a terminated instance, so that its replacement can take them."""
    instance_class: Any = Instance
    terminate = instance_class.terminate

    def terminate_and_free(instance: Any) -> Any:
        ending = [nic for nic in instance.nics.values() if nic.delete_on_termination or nic.description == _BY_LAUNCH]
        addresses = [each["PrivateIpAddress"] for nic in ending for each in nic.private_ip_addresses]
        before = terminate(instance)
        if instance.subnet_id:
            subnet = instance.ec2_backend.get_subnet(instance.subnet_id)
            for address in addresses:
                subnet.del_subnet_ip(address)
        return before

    instance_class.terminate = terminate_and_free


def detach_kept_interfaces() -> None:
    """Detach network interfaces that outlive their terminated instance."""
    known = Instance.terminate

    def terminate(instance: Any) -> Any:
        before = known(instance)
        for index, interface in list(instance.nics.items()):
            if not interface.delete_on_termination:
                instance.detach_eni(interface)
                instance.nics[index] = last = copy.copy(interface)  # a terminated instance still reports what it had
                last.device_index = index
        return before

    instance_class: Any = Instance
    instance_class.terminate = terminate


def read_own_tags_only() -> None:
    """Read only the tags of the resource itself; moto reads all tags, and fails if another request adds one."""

    def get_tags(resource: Any) -> list[dict[str, str]]:
        if not resource.id:
            return []
        kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "")
        tags = dict(resource.ec2_backend.tags.get(resource.id, {}))
        return [
            {"resource_id": resource.id, "key": key, "value": value, "resource_type": kind}
            for key, value in tags.items()
        ]

    resource_class: Any = TaggedEC2Resource
    resource_class.get_tags = get_tags


def _without_tags(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "TagSpecifications"}


PATCHES = (
    add_public_images,
    accept_changed_user_data,
    return_descriptions_of_group_rules,
    separate_template_tags,
    keep_user_data_of_template_versions,
    release_private_addresses,
    detach_kept_interfaces,
    read_own_tags_only,
)
