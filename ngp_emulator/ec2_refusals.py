"""Patches for moto's EC2: requests that EC2 refuses, with its error codes and messages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.security_groups import SecurityGroups

MOTO = "5.2.5"  # the version that this file patches
_RANGES = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
# EC2 API reference, SecurityGroup and CreateSecurityGroup
CHARACTERS = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*")
TEXT_LENGTH = 255
GROUP_NAME_PREFIX = "sg-"  # reserved for IDs
USER_DATA_BYTES = 16384  # EC2 RunInstances, before Base64


def refuse_invalid_group_texts() -> None:
    """Refuse names and descriptions of security groups and rules that EC2 does not accept."""
    for name in ("authorize_security_group_ingress", "authorize_security_group_egress"):
        _check_before(SecurityGroups, name, _require_rule_descriptions)
    for side in ("ingress", "egress"):
        _check_before(SecurityGroups, f"update_security_group_rule_descriptions_{side}", _require_rule_descriptions)
    _check_before(SecurityGroups, "modify_security_group_rules", _require_rule_descriptions)
    _check_before(SecurityGroups, "create_security_group", _require_group_texts)


def refuse_large_user_data() -> None:
    """Refuse user data above 16,384 bytes (before Base64), for instances and launch templates."""
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


def refuse_wrong_architectures() -> None:
    """Refuse to launch an image on an instance type of another architecture, also in Auto Scaling."""
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


def _check_before(response_class: Any, name: str, require: Callable[[Any], None]) -> None:
    """Make an action of a response class call `require` first, which raises for what AWS refuses."""
    act = getattr(response_class, name)

    def checked(response: Any) -> Any:
        require(response)
        return act(response)

    setattr(response_class, name, checked)


def _require_group_texts(response: Any) -> None:
    name, description = response._get_param("GroupName") or "", response._get_param("Description") or ""
    if name.startswith(GROUP_NAME_PREFIX):
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
    """Yield every rule description in a request that adds or changes rules."""
    changed = [each.get("SecurityGroupRule", {}) for each in asked.get("SecurityGroupRules", ())]
    parts = [*asked.get("SecurityGroupRuleDescriptions", ()), *changed]
    for permission in asked.get("IpPermissions", ()):
        parts += [each for name in _RANGES for each in permission.get(name, ())]
    for each in parts:
        yield each.get("Description") or ""


def _require_text(text: str, of: str, kind: str) -> None:
    if len(text) > TEXT_LENGTH or TEXT.fullmatch(text) is None:
        raise _ec2_failure(
            "InvalidParameterValue",
            f"Invalid {of} {kind.removesuffix('s')}. Valid {kind} are strings less than "
            f"{TEXT_LENGTH + 1} characters from the following set:  {CHARACTERS}",
        )


def _require_small(user_data: Any, code: str = "InvalidParameterValue", *, encoded: bool = True) -> None:
    if user_data is None:
        return
    raw = user_data if isinstance(user_data, bytes) else str(user_data).encode()
    if encoded:
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            return  # moto refuses it itself
    if len(raw) > USER_DATA_BYTES:
        raise _ec2_failure(code, f"User data is limited to {USER_DATA_BYTES} bytes")


def _mismatch(ec2: Any, image_id: str | None, instance_type: str | None) -> str:
    """Return EC2's message for an image and a type of different architectures, "" if they fit or are unknown."""
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


def _ec2_failure(code: str, message: str) -> Exception:
    return EC2ClientError(code, message)


PATCHES = (refuse_invalid_group_texts, refuse_large_user_data, refuse_wrong_architectures)
