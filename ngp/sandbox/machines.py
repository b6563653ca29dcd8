"""Repairs of moto's machines (instances, and what Systems Manager has of them), as `repairs` has them for the rest."""

from __future__ import annotations

import base64
import copy
import json
import uuid
from typing import Any

_BY_LAUNCH = "Primary network interface"  # what moto calls one that came, and goes, with its instance
_TAGGED = "Association"


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    take_changed_user_data()
    free_addresses_of_ended_instances()
    free_interfaces_of_terminated_instances()
    keep_associations()


def take_changed_user_data() -> None:
    """ModifyInstanceAttribute takes any user data: moto has decoded it already and wants to decode it again."""
    from moto.core.types import Base64EncodedString
    from moto.ec2.responses import instances

    module: Any = instances
    parse = module.parse_user_data

    def parse_user_data(value: Any) -> Any:
        if isinstance(value, bytes):
            return Base64EncodedString(base64.b64encode(value).decode("ascii"))
        return parse(value)

    module.parse_user_data = parse_user_data


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


def keep_associations() -> None:
    """Associations of documents with machines can be made, changed, tagged and deleted; nothing is run by them."""
    from moto.ssm.models import SimpleSystemManagerBackend
    from moto.ssm.responses import SimpleSystemManagerResponse

    backend_class: Any = SimpleSystemManagerBackend
    find = backend_class._validate_resource_type_and_id

    def find_tagged(backend: Any, resource_type: str, resource_id: str) -> Any:
        return resource_id if resource_type == _TAGGED else find(backend, resource_type, resource_id)

    backend_class._validate_resource_type_and_id = find_tagged
    response_class: Any = SimpleSystemManagerResponse
    response_class.create_association = _create
    response_class.describe_association = _describe
    response_class.update_association = _update
    response_class.delete_association = _delete


def _kept(response: Any) -> dict[str, dict[str, Any]]:
    """Those of the account and region, by id; a reset of the sandbox takes them with the backend's other things."""
    kept: dict[str, dict[str, Any]] = response.ssm_backend.__dict__.setdefault("associations", {})
    return kept


def _find(response: Any) -> dict[str, Any]:
    from moto.ssm.exceptions import SSMException

    found = _kept(response).get(response._get_param("AssociationId"))
    if found is None:
        raise SSMException("AssociationDoesNotExist", "The specified association does not exist.")
    return found


def _answer(association: dict[str, Any]) -> Any:
    from moto.core.responses import ActionResult

    return ActionResult({"AssociationDescription": association})


def _create(response: Any) -> Any:
    asked = json.loads(response.body)
    tags = {tag["Key"]: tag["Value"] for tag in asked.pop("Tags", ())}
    made = {**asked, "AssociationId": str(uuid.uuid4()), "AssociationVersion": "1", "Overview": {"Status": "Success"}}
    _kept(response)[made["AssociationId"]] = made
    response.ssm_backend.add_tags_to_resource(_TAGGED, made["AssociationId"], tags)
    return _answer(made)


def _describe(response: Any) -> Any:
    return _answer(_find(response))


def _update(response: Any) -> Any:
    found = _find(response)
    found |= {**json.loads(response.body), "AssociationVersion": str(int(found["AssociationVersion"]) + 1)}
    return _answer(found)


def _delete(response: Any) -> Any:
    from moto.core.responses import EmptyResult

    del _kept(response)[_find(response)["AssociationId"]]
    return EmptyResult()
