"""Repairs of moto's machines (EC2) and what stands before them (ELB), as `repairs` has them for the rest."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

from ngp.sandbox import roles

_BY_LAUNCH = "Primary network interface"  # what moto calls one that came, and goes, with its instance


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    roles.apply()
    free_addresses_of_ended_instances()
    free_interfaces_of_terminated_instances()
    tell_tags_while_others_get_theirs()
    let_a_target_group_be_deleted_again()


def free_addresses_of_ended_instances() -> None:
    """The address of an instance that has ended can be given to another: one with a fixed address can be replaced."""
    from moto.ec2.models.instances import Instance

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


def free_interfaces_of_terminated_instances() -> None:
    """A network interface that outlives its instance is free when the instance is terminated."""
    from moto.ec2.models.instances import Instance

    known = Instance.terminate

    def terminate(instance: Any) -> Any:
        before = known(instance)
        for index, interface in list(instance.nics.items()):
            if not interface.delete_on_termination:
                instance.detach_eni(interface)
                instance.nics[index] = last = copy.copy(interface)  # a terminated instance still tells what it had
                last.device_index = index
        return before

    instance_class: Any = Instance
    instance_class.terminate = terminate


def tell_tags_while_others_get_theirs() -> None:
    """What is made with tags is answered while other things get theirs; moto reads all tags there are for each."""
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

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


def let_a_target_group_be_deleted_again() -> None:
    """DeleteTargetGroup of one that is gone succeeds: a client that lost the answer asks again.

    Its only documented error is ResourceInUse (Elastic Load Balancing API, 2015-12-01).
    """
    from moto.elbv2.exceptions import TargetGroupNotFoundError
    from moto.elbv2.models import ELBv2Backend

    backend_class: Any = ELBv2Backend
    delete = backend_class.delete_target_group

    def delete_target_group(backend: Any, arn: str) -> Any:
        with suppress(TargetGroupNotFoundError):
            return delete(backend, arn)
        return None

    backend_class.delete_target_group = delete_target_group
