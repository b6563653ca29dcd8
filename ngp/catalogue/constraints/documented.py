"""Constraints that AWS only documents: EC2's models have no limits, and some names have rules in prose."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ngp.aws import limits

_RULES_OF_GROUPS = "aws_vpc_security_group_ingress_rule aws_vpc_security_group_egress_rule aws_security_group_rule"
_EC2_TEXT = limits.EC2_TEXT
_EC2_SAYS = f"holds only {limits.EC2_CHARACTERS}"
_USER_DATA = limits.USER_DATA_BYTES


@dataclass(frozen=True)
class _Rule:
    """`accepts` is a pattern or a function; `says` is the rule in words. A `piecewise` one holds for every piece of a
    text, so a piece that breaks it is enough."""

    types: str
    paths: str
    accepts: str | Callable[[Any], bool]
    says: str
    source: str
    piecewise: bool = False


def _bytes(text: Any) -> int:
    """Return the size of the text that a Base64 text encodes, which EC2 counts."""
    try:
        return len(base64.b64decode(str(text), validate=True))
    except (binascii.Error, ValueError):
        return 0


def _is_tagged(most: int) -> Callable[[Any], bool]:
    return lambda tags: not isinstance(tags, Mapping) or len(tags) <= most


def _has_good_keys(tags: Any) -> bool:
    return all(1 <= len(key) <= 128 and not key.lower().startswith("aws:") for key in tags)


def _has_good_values(tags: Any) -> bool:
    return all(len(str(value)) <= 256 for value in tags.values() if value is not None)


def _is_small_environment(variables: Any) -> bool:
    return sum(len(str(part).encode()) for pair in variables.items() for part in pair) <= 4096


_LOG_DAYS = frozenset(
    (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
)  # 0: the provider sends nothing, and logs never expire
_LB_NAME = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
_BUCKET = r"(?!xn--)(?!sthree-)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)"
_TAG_PATHS = "tags volume_tags tag_specifications.tags"
_GROUPS = f"aws_security_group aws_default_security_group {_RULES_OF_GROUPS}"
RULES: tuple[_Rule, ...] = (
    _Rule(
        _GROUPS,
        "description ingress.description egress.description",
        _EC2_TEXT,
        _EC2_SAYS,
        "EC2 SecurityGroup",
        piecewise=True,
    ),
    _Rule(
        _GROUPS,
        "description ingress.description egress.description",
        rf".{{0,{limits.EC2_TEXT_LENGTH}}}",
        f"has at most {limits.EC2_TEXT_LENGTH} characters",
        "EC2 SecurityGroup",
    ),
    _Rule("aws_security_group", "name name_prefix", _EC2_TEXT, _EC2_SAYS, "EC2 CreateSecurityGroup", piecewise=True),
    _Rule(
        "aws_security_group",
        "name name_prefix",
        rf"(?!{limits.GROUP_NAME_PREFIX}).*",
        "does not begin with sg-",
        "EC2 CreateSecurityGroup",
    ),
    _Rule("aws_security_group", "name", r".{1,255}", "has at most 255 characters", "EC2 CreateSecurityGroup"),
    _Rule(
        "aws_security_group",
        "name_prefix",
        r".{1,229}",
        "has at most 229 characters before its suffix",
        "EC2 CreateSecurityGroup",
    ),
    _Rule(
        "aws_instance",
        "user_data",
        lambda text: len(str(text).encode()) <= _USER_DATA,
        "is at most 16384 bytes",
        "EC2 RunInstances",
    ),
    _Rule(
        "aws_instance",
        "user_data_base64",
        lambda text: _bytes(text) <= _USER_DATA,
        "is at most 16384 bytes before Base64",
        "EC2 RunInstances",
    ),
    _Rule(
        "aws_launch_template",
        "user_data",
        lambda text: _bytes(text) <= _USER_DATA,
        "is at most 16384 bytes before Base64",
        "EC2 CreateLaunchTemplate",
    ),
    _Rule(
        "aws_launch_template",
        "name",
        r"[a-zA-Z0-9()./_-]{3,128}",
        "has 3 to 128 letters, digits and ( ) . / _ -",
        "EC2 CreateLaunchTemplate",
    ),
    _Rule(
        _RULES_OF_GROUPS,
        "from_port to_port",
        lambda port: -1 <= float(port) <= 65535,
        "is -1 to 65535",
        "EC2 IpPermission",
    ),
    _Rule(
        "aws_launch_template",
        "name_prefix",
        r"[a-zA-Z0-9()./_-]{1,102}",
        "has at most 102 letters, digits and ( ) . / _ -",
        "EC2 CreateLaunchTemplate",
    ),
    _Rule("aws_launch_template", "description", r".{0,255}", "has at most 255 characters", "EC2 CreateLaunchTemplate"),
    _Rule(
        "aws_network_interface", "description", r".{0,255}", "has at most 255 characters", "EC2 CreateNetworkInterface"
    ),
    _Rule("*", _TAG_PATHS, _is_tagged(50), "holds at most 50 tags", "AWS tagging"),
    _Rule("aws_s3_object", "tags", _is_tagged(10), "holds at most 10 tags", "S3 PutObjectTagging"),
    _Rule(
        "*", _TAG_PATHS, _has_good_keys, "has keys of 1 to 128 characters that do not begin with aws:", "AWS tagging"
    ),
    _Rule("*", _TAG_PATHS, _has_good_values, "has values of at most 256 characters", "AWS tagging"),
    _Rule(
        "aws_lb aws_lb_target_group",
        "name",
        _LB_NAME,
        "has at most 32 letters, digits and dashes, none at its ends, and does not begin with internal-",
        "ELBv2 CreateLoadBalancer",
    ),
    _Rule(
        "aws_s3_bucket",
        "bucket",
        _BUCKET,
        "has 3 to 63 lower-case letters, digits, dots and dashes, and begins and ends with a letter or digit",
        "S3 CreateBucket",
    ),
    _Rule("aws_acm_certificate", "domain_name", r".{1,64}", "has at most 64 characters", "ACM RequestCertificate"),
    _Rule(
        "aws_sqs_queue",
        "name",
        r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo",
        "has at most 80 letters, digits, dashes and underscores",
        "SQS CreateQueue",
    ),
    _Rule(
        "aws_sns_topic",
        "name",
        r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo",
        "has at most 256 letters, digits, dashes and underscores",
        "SNS CreateTopic",
    ),
    _Rule(
        "aws_db_instance",
        "identifier",
        r"(?!.*--)[a-z][a-z0-9-]{0,62}(?<!-)",
        "has at most 63 lower-case letters, digits and single dashes, and begins with a letter",
        "RDS CreateDBInstance",
    ),
    _Rule(
        "aws_elasticache_replication_group",
        "replication_group_id",
        r"(?!.*--)[a-z][a-z0-9-]{0,39}(?<!-)",
        "has at most 40 lower-case letters, digits and single dashes, and begins with a letter",
        "ElastiCache CreateReplicationGroup",
    ),
    _Rule(
        "aws_backup_plan",
        "name",
        r"[A-Za-z0-9._-]{1,50}",
        "has at most 50 letters, digits, dots, dashes and underscores",
        "Backup CreateBackupPlan",
    ),
    _Rule(
        "aws_cloudwatch_log_group",
        "retention_in_days",
        lambda days: int(days) in _LOG_DAYS,
        "is a number of days that CloudWatch has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, …",
        "Logs PutRetentionPolicy",
    ),
    _Rule(
        "aws_instance aws_launch_template",
        "metadata_options.http_put_response_hop_limit",
        lambda hops: 1 <= int(hops) <= 64,
        "is 1 to 64",
        "EC2 InstanceMetadataOptionsRequest",
    ),
    _Rule(
        "aws_elasticache_replication_group",
        "num_cache_clusters",
        lambda nodes: 1 <= int(nodes) <= 6,
        "is 1 to 6: a primary and five copies",
        "ElastiCache CreateReplicationGroup",
    ),
    _Rule(
        "aws_lambda_function", "environment.variables", _is_small_environment, "is at most 4096 bytes", "Lambda quotas"
    ),
)


def broken(type_: str, path: str, value: Any, *, partial: bool) -> Iterator[tuple[str, str]]:
    """Yield the rules that the value of an argument breaks, each with its source."""
    for rule in RULES:
        if rule.types != "*" and type_ not in rule.types.split():
            continue
        if path in rule.paths.split() and (rule.piecewise or not partial) and not _holds(rule, value):
            yield rule.says, f"AWS documentation: {rule.source}"


# what AWS moves between new sizes, where it does not change itself
FOLLOWS = frozenset({("aws_autoscaling_group", "desired_capacity")})
# resource type → the arguments of which none may be above the next
_SIZES: Mapping[str, tuple[str, ...]] = {
    "aws_autoscaling_group": ("min_size", "desired_capacity", "max_size"),
    "aws_eks_node_group": tuple(f"scaling_config.{name}_size" for name in ("min", "desired", "max")),
}


def combined(type_: str) -> frozenset[str]:
    """Return the arguments of a resource that are looked at together."""
    return frozenset(_SIZES.get(type_, ()))


def contradictions(type_: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield contradicting arguments of one resource: path, rule, source."""
    sizes = [(name, int(known[name])) for name in _SIZES.get(type_, ()) if isinstance(known.get(name), int | Decimal)]
    for (low, least), (high, most) in zip(sizes, sizes[1:], strict=False):
        if least > most:
            yield low, f"is not above {high} ({most})", "AWS documentation: Auto Scaling CreateAutoScalingGroup"


def _holds(rule: _Rule, value: Any) -> bool:
    if callable(rule.accepts):
        is_tags = "tags" in rule.paths or "variables" in rule.paths
        return (is_tags and not isinstance(value, Mapping)) or rule.accepts(value)
    return not isinstance(value, str) or re.fullmatch(rule.accepts, value, re.DOTALL) is not None
