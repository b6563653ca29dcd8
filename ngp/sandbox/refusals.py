"""Repairs of moto: it refuses what AWS refuses, with AWS's error codes and words."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any

from ngp.aws import limits

_RANGES = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
_LARGE_USER_DATA = f"User data is limited to {limits.USER_DATA_BYTES} bytes"


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    refuse_names_and_descriptions_of_groups()
    refuse_large_user_data()
    refuse_images_of_another_architecture()
    refuse_to_delete_parameter_groups_in_use()
    refuse_contradicting_sizes_of_node_groups()


def refuse_names_and_descriptions_of_groups() -> None:
    """A security group or rule with a name or description that EC2 does not accept is refused."""
    from moto.ec2.responses.security_groups import SecurityGroups

    for name in ("authorize_security_group_ingress", "authorize_security_group_egress"):
        _check_before(SecurityGroups, name, _require_rule_descriptions)
    for side in ("ingress", "egress"):
        _check_before(SecurityGroups, f"update_security_group_rule_descriptions_{side}", _require_rule_descriptions)
    _check_before(SecurityGroups, "modify_security_group_rules", _require_rule_descriptions)
    _check_before(SecurityGroups, "create_security_group", _require_group_texts)


def refuse_large_user_data() -> None:
    """User data of more than 16,384 bytes before Base64 is refused, for instances and in launch templates."""
    from moto.ec2.responses.instances import InstanceResponse
    from moto.ec2.responses.launch_templates import LaunchTemplates

    _check_before(InstanceResponse, "run_instances", lambda asked: _require_small(asked._get_param("UserData")))
    _check_before(
        InstanceResponse,
        "modify_instance_attribute",
        lambda asked: _require_small(asked._get_param("UserData.Value"), encoded=False),
    )
    for name in ("create_launch_template", "create_launch_template_version"):
        _check_before(
            LaunchTemplates,
            name,
            lambda asked: _require_small(asked._get_param("LaunchTemplateData.UserData"), "InvalidUserData.Malformed"),
        )


def refuse_images_of_another_architecture() -> None:
    """An instance, also of an autoscaling group's template, starts only from an image of its architecture."""
    from moto.autoscaling.exceptions import ValidationError
    from moto.autoscaling.models import FakeAutoScalingGroup
    from moto.ec2.models.instances import InstanceBackend

    group_class: Any = FakeAutoScalingGroup
    backend_class: Any = InstanceBackend
    run, take_template = backend_class.run_instances, group_class._set_launch_configuration

    def run_instances(backend: Any, image_id: str, *arguments: Any, **named: Any) -> Any:
        template = named.get("launch_template")
        data = backend._get_template_from_args(template).data if template else {}
        asked = "" if named.get("is_instance_type_default") else named.get("instance_type", "")
        problem = _mismatch(backend, image_id or data.get("ImageId"), asked or data.get("InstanceType"))
        if problem:
            raise _ec2_failure("InvalidParameterValue", problem)
        return run(backend, image_id, *arguments, **named)

    def set_launch_configuration(group: Any, *arguments: Any, **named: Any) -> None:
        take_template(group, *arguments, **named)
        if group.ec2_launch_template is None:
            return
        data = group.ec2_launch_template.get_version(group.launch_template_version).data
        problem = _mismatch(group.ec2_backend, data.get("ImageId"), data.get("InstanceType"))
        if problem:
            raise ValidationError(f"You must use a valid fully-formed launch template. {problem}")

    backend_class.run_instances = run_instances
    group_class._set_launch_configuration = set_launch_configuration


def refuse_to_delete_parameter_groups_in_use() -> None:
    """A parameter group of a database instance is deleted only when no instance uses it."""
    from moto.rds.exceptions import RDSClientError
    from moto.rds.models import RDSBackend

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


def refuse_contradicting_sizes_of_node_groups() -> None:
    """A node group whose smallest size is above its desired one, or that above its largest, is refused."""
    from moto.eks.models import EKSBackend

    backend_class: Any = EKSBackend
    create, update = backend_class.create_nodegroup, backend_class.update_nodegroup_config

    def create_nodegroup(backend: Any, *arguments: Any, **named: Any) -> Any:
        _require_sizes(named.get("scaling_config") or {})
        return create(backend, *arguments, **named)

    def update_nodegroup_config(backend: Any, *arguments: Any, **named: Any) -> Any:
        group = backend.describe_nodegroup(named["cluster_name"], named["nodegroup_name"])
        _require_sizes({**(group.scaling_config or {}), **(named.get("scaling_config") or {})})
        return update(backend, *arguments, **named)

    backend_class.create_nodegroup = create_nodegroup
    backend_class.update_nodegroup_config = update_nodegroup_config


def _check_before(response_class: Any, name: str, require: Callable[[Any], None]) -> None:
    """Let an action of a response class call `require` first, which raises what AWS would refuse."""
    act = getattr(response_class, name)

    def checked(response: Any) -> Any:
        require(response)
        return act(response)

    setattr(response_class, name, checked)


def _require_group_texts(response: Any) -> None:
    name, description = response._get_param("GroupName") or "", response._get_param("Description") or ""
    if name.startswith(limits.GROUP_NAME_PREFIX):
        raise _ec2_failure(
            "InvalidParameterValue",
            f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.",
        )
    for kind, text in (("names", name), ("descriptions", description)):
        _require_text(text, "security group", kind)


def _require_rule_descriptions(response: Any) -> None:
    for text in _descriptions(response._get_params()):
        _require_text(text, "rule", "descriptions")


def _descriptions(asked: dict[str, Any]) -> Iterator[str]:
    """Every description of rules in a request that adds or changes rules."""
    changed = [each.get("SecurityGroupRule", {}) for each in asked.get("SecurityGroupRules", ())]
    parts = [*asked.get("SecurityGroupRuleDescriptions", ()), *changed]
    for permission in asked.get("IpPermissions", ()):
        parts += [each for name in _RANGES for each in permission.get(name, ())]
    for each in parts:
        yield each.get("Description") or ""


def _require_text(text: str, of: str, kind: str) -> None:
    if not limits.is_ec2_text(text):
        raise _ec2_failure(
            "InvalidParameterValue",
            f"Invalid {of} {kind.removesuffix('s')}. Valid {kind} are strings less than "
            f"{limits.EC2_TEXT_LENGTH + 1} characters from the following set:  {limits.EC2_CHARACTERS}",
        )


def _require_small(user_data: Any, code: str = "InvalidParameterValue", *, encoded: bool = True) -> None:
    if user_data is None:
        return
    raw = user_data if isinstance(user_data, bytes) else str(user_data).encode()
    if encoded:
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            return  # moto refuses it by itself
    if len(raw) > limits.USER_DATA_BYTES:
        raise _ec2_failure(code, _LARGE_USER_DATA)


def _mismatch(ec2: Any, image_id: str | None, instance_type: str | None) -> str:
    """What EC2 says of an image whose architecture the instance type does not have, "" if it has or is not known."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    image, known = ec2.amis.get(image_id), INSTANCE_TYPES.get(instance_type or "")
    supported = known["ProcessorInfo"]["SupportedArchitectures"] if known else []
    if image is None or not supported or image.architecture in supported:
        return ""
    return (
        f"The architecture '{supported[-1]}' of the specified instance type does not match the architecture "
        f"'{image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching "
        "architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the "
        "architecture of the instance type or AMI."
    )


def _require_sizes(scaling: dict[str, Any]) -> None:
    from moto.eks.exceptions import InvalidParameterException

    least, desired, most = (scaling.get(name) for name in ("minSize", "desiredSize", "maxSize"))
    if least is not None and desired is not None and least > desired:
        raise InvalidParameterException(
            message=f"Minimum capacity {least} can't be greater than desired size {desired}"
        )
    if desired is not None and most is not None and desired > most:
        raise InvalidParameterException(message=f"desired size {desired} can't be greater than maximum capacity {most}")


def _ec2_failure(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    return EC2ClientError(code, message)
