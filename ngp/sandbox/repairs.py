"""Repairs of moto, each for one thing in which it differs from AWS and a region notices it.

They change classes of the moto that is imported: only a launcher's process calls `apply`.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import Any

from ngp.sandbox import account, associations, backups, clusters, databases, machines, policies, refusals, registries

_ACCOUNT_KEY = re.compile(r"\d{12}")


def apply() -> None:
    """Put every repair into the moto that this process has imported."""
    take_account_from_access_key()
    take_account_from_signed_addresses()
    admit_loopback_past_tls_policies()
    take_changed_user_data()
    publish_images()
    publish_parameters()
    keep_descriptions_of_rules_between_groups()
    keep_template_tags_out_of_template_data()
    take_user_data_of_later_template_versions()
    forget_records_that_are_gone()
    remember_dead_letter_queues()
    tell_no_target_of_lifecycle_hooks()
    databases.apply()
    associations.apply()
    backups.apply()
    clusters.apply()
    machines.apply()
    policies.apply()
    refusals.apply()
    registries.apply()


def take_account_from_access_key() -> None:
    """An access key id of twelve digits names the account, so that a platform's own account works here."""
    from moto.core.responses import BaseResponse
    from moto.iam import models

    known = models.get_account_id_from

    def account_of(access_key: str) -> str:
        return access_key if _ACCOUNT_KEY.fullmatch(access_key) else str(known(access_key))

    models.get_account_id_from = account_of
    BaseResponse.access_key_regex = re.compile(
        r"AWS.*(?P<access_key>(?<![A-Z0-9])(?:[A-Z0-9]{20}|[0-9]{12})(?![A-Z0-9]))[:/]"
    )


def take_account_from_signed_addresses() -> None:
    """An address that is signed (a presigned URL) belongs to the account that signed it, not to one of moto's own."""
    from moto.core.responses import BaseResponse

    response_class: Any = BaseResponse
    known = response_class.get_access_key

    def get_access_key(response: Any) -> str:
        signed = response.querystring.get("X-Amz-Credential")
        return str(signed[0].split("/")[0] if signed else known(response))

    response_class.get_access_key = get_access_key


def admit_loopback_past_tls_policies() -> None:
    """A bucket policy that denies what is not TLS does not deny plain HTTP here: it never leaves the machine."""
    from moto.iam.access_control import IAMPolicy, PermissionResult
    from moto.s3.models import FakeBucket

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        return IAMPolicy(without_tls_denials(bucket.policy)).is_action_permitted(action, resource)

    bucket_class: Any = FakeBucket
    bucket_class.get_permission = get_permission


def without_tls_denials(policy: bytes | str) -> str:
    """A policy's JSON without the statements that deny only what comes without TLS."""
    document = json.loads(policy)
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    return json.dumps({**document, "Statement": [each for each in statements if not _denies_plain_http(each)]})


def _denies_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition") or {}
    asked = {
        (operator.removesuffix("IfExists"), key.lower(), str(value).lower())
        for operator, keys in condition.items()
        for key, values in keys.items()
        for value in (values if isinstance(values, list) else [values])
    }
    return statement.get("Effect") == "Deny" and asked == {("Bool", "aws:securetransport", "false")}


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


def publish_images() -> None:
    """Every region has the images of `account.IMAGES`, owned by those who publish them."""
    from moto.ec2.models.amis import Ami, AmiBackend

    backend_class: Any = AmiBackend
    load = backend_class._load_amis

    def load_amis(backend: Any) -> None:
        load(backend)
        for image in account.IMAGES:
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


def publish_parameters() -> None:
    """Every region has the public parameters of `account.PARAMETERS`; nobody may put one below ``/aws/`` himself."""
    from moto.core.utils import utcnow
    from moto.ssm.models import Parameter, ParameterDict

    store_class: Any = ParameterDict
    parameter_class: Any = Parameter
    check = store_class._check_loading_status

    def check_loading_status(parameters: Any, key: str) -> None:
        check(parameters, key)
        value = account.PARAMETERS.get(str(key or ""))
        if value is not None and not dict.__contains__(parameters, key):
            dict.__setitem__(
                parameters,
                key,
                [
                    parameter_class(
                        account_id=parameters.account_id,
                        name=key,
                        value=value,
                        parameter_type="String",
                        description=None,
                        allowed_pattern=None,
                        keyid=None,
                        last_modified_date=utcnow(),
                        version=1,
                        data_type="aws:ec2:image",
                    )
                ],
            )

    store_class._check_loading_status = check_loading_status


def keep_descriptions_of_rules_between_groups() -> None:
    """A security group's rule tells its description also where it names another group, not an address range."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    def description(rule: Any) -> str | None:
        told: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
        return told

    rule_class: Any = SecurityGroupRule
    rule_class.description = property(description)


def keep_template_tags_out_of_template_data() -> None:
    """A launch template's own tags are not among those that it gives to what it launches."""
    from moto.ec2.models.launch_templates import LaunchTemplate

    template_class: Any = LaunchTemplate
    create = template_class.create_version

    def create_version(template: Any, data: dict[str, Any], description: str) -> Any:
        kept = [each for each in data.get("TagSpecifications", []) if each["ResourceType"] != "launch-template"]
        return create(template, {**data, "TagSpecifications": kept} if kept else _without_tags(data), description)

    template_class.create_version = create_version


def _without_tags(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "TagSpecifications"}


def take_user_data_of_later_template_versions() -> None:
    """A launch template's second version has user data as its first: an autoscaling group can use it."""
    from moto.ec2.models.launch_templates import LaunchTemplate
    from moto.ec2.utils import parse_user_data

    template_class: Any = LaunchTemplate
    create = template_class.create_version

    def create_version(template: Any, data: dict[str, Any], description: str) -> Any:
        given = data.get("UserData")
        kept = {**data, "UserData": parse_user_data(given)} if isinstance(given, str) else data
        return create(template, kept, description)

    template_class.create_version = create_version


def forget_records_that_are_gone() -> None:
    """A deleted DNS record can be made again, and of changes that come together none is lost.

    moto takes a record for existing when it was there once and any that sorts after it is there.
    """
    from moto.route53.models import FakeZone, Route53Backend

    zone_class: Any = FakeZone
    backend_class: Any = Route53Backend
    delete, change = zone_class.delete_rrset, backend_class.change_resource_record_sets
    lock = threading.Lock()

    def delete_rrset(zone: Any, record: dict[str, Any]) -> None:
        delete(zone, record)
        gone = (record["Name"].strip("."), record["Type"])
        zone.rr_changes[:] = [each for each in zone.rr_changes if _record(each) != gone]

    def change_resource_record_sets(*arguments: Any, **named: Any) -> None:
        with lock:
            change(*arguments, **named)

    zone_class.delete_rrset = delete_rrset
    backend_class.change_resource_record_sets = change_resource_record_sets


def _record(change: dict[str, Any]) -> tuple[str, str]:
    record = change["ResourceRecordSet"]
    return record["Name"].strip("."), record["Type"]


def remember_dead_letter_queues() -> None:
    """A function says which queue gets the events that it failed on."""
    from moto.awslambda.models import LambdaFunction

    function_class: Any = LambdaFunction
    begin, update, tell = (
        getattr(function_class, name) for name in ("__init__", "update_configuration", "get_configuration")
    )

    def init(function: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:
        function.dead_letter_config = spec.get("DeadLetterConfig")
        begin(function, account_id, spec, *arguments, **named)

    def update_configuration(function: Any, updates: dict[str, Any]) -> Any:
        function.dead_letter_config = updates.get("DeadLetterConfig", function.dead_letter_config)
        return update(function, updates)

    def get_configuration(function: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        told: dict[str, Any] = tell(function, *arguments, **named)
        return {**told, "DeadLetterConfig": function.dead_letter_config} if function.dead_letter_config else told

    function_class.__init__ = init
    function_class.update_configuration = update_configuration
    function_class.get_configuration = get_configuration


def tell_no_target_of_lifecycle_hooks() -> None:
    """A lifecycle hook that notifies nobody says so; moto tells an example's queue and role of every one."""
    from moto.autoscaling.models import LifecycleHook

    hook_class: Any = LifecycleHook
    begin = hook_class.__init__

    def init(hook: Any, *arguments: Any, **named: Any) -> None:
        begin(hook, *arguments, **named)
        hook.role_arn = hook.notification_target_arn = None

    hook_class.__init__ = init
