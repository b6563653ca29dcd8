"""ngp's own rules. Each uses planned values only; unknown values break none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ngp.policies.verdict import Severity
from ngp.terraform.plans import Action, Change

_ANYWHERE = ("0.0.0.0/0", "::/0")
_ADMIN = {
    22: "SSH",
    2375: "Docker",
    2376: "Docker",
    3306: "MySQL",
    3389: "RDP",
    5432: "PostgreSQL",
    6379: "Redis",
    9200: "OpenSearch",
    27017: "MongoDB",
}
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_POLICIES = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
_ENCRYPTED: Mapping[str, str] = {
    "aws_db_instance": "storage_encrypted",
    "aws_rds_cluster": "storage_encrypted",
    "aws_ebs_volume": "encrypted",
    "aws_efs_file_system": "encrypted",
    "aws_elasticache_replication_group": "at_rest_encryption_enabled",
    "aws_redshift_cluster": "encrypted",
}
_DISKS = ("root_block_device", "ebs_block_device")
_SHUT = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")

Broken = Iterator[tuple[str, str]]  # attribute, message


@dataclass(frozen=True)
class Rule:
    """`find` yields the problems of a resource's planned values."""

    id: str
    severity: Severity
    types: tuple[str, ...]
    find: Callable[[str, Mapping[str, Any]], Broken]
    todo: str


def check(change: Change) -> Iterator[tuple[Rule, str, str]]:
    """Yield each rule that a change breaks, with the attribute and the message."""
    if change.mode != "managed" or change.action not in (Action.CREATE, Action.UPDATE, Action.REPLACE):
        return
    values = change.after if isinstance(change.after, Mapping) else {}
    for rule in RULES:
        if change.type in rule.types:
            yield from ((rule, attribute, message) for attribute, message in rule.find(change.type, values))


def _ingress(kind: str, values: Mapping[str, Any]) -> Broken:
    if kind == "aws_security_group":
        for at, one in enumerate(_items(values.get("ingress"))):
            yield from _open(f"ingress[{at}]", one, _sources(one))
    elif kind == "aws_security_group_rule" and values.get("type") == "ingress":
        yield from _open("cidr_blocks", values, _sources(values))
    elif kind == "aws_vpc_security_group_ingress_rule":
        for name in ("cidr_ipv4", "cidr_ipv6"):
            yield from _open(name, values, (values.get(name),))


def _sources(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*_items(rule.get("cidr_blocks")), *_items(rule.get("ipv6_cidr_blocks")))


def _open(attribute: str, rule: Mapping[str, Any], sources: Iterable[Any]) -> Broken:
    if not any(source in _ANYWHERE for source in sources):
        return
    protocol = str(rule.get("protocol", rule.get("ip_protocol", "")))
    first, last = _number(rule.get("from_port")), _number(rule.get("to_port"))
    is_all = protocol == "-1"
    if protocol not in ("-1", "tcp", "6") or not (is_all or (first is not None and last is not None)):
        return
    ports = [port for port in _ADMIN if is_all or (first or 0) <= port <= (last or 0)]
    if ports:
        shown = ", ".join(f"{port} ({_ADMIN[port]})" for port in ports[:3])
        more = " and others" if len(ports) > 3 else ""
        yield attribute, f"the whole Internet can reach port {shown}{more}"


def _unencrypted(kind: str, values: Mapping[str, Any]) -> Broken:
    name = _ENCRYPTED.get(kind, "")
    if name and values.get(name) in (False, "false"):
        yield name, "its data is not encrypted"
    for disk in _DISKS:
        for at, one in enumerate(_items(values.get(disk))):
            if one.get("encrypted") is False:
                yield f"{disk}[{at}].encrypted", "this disk is not encrypted"


def _public_bucket(kind: str, values: Mapping[str, Any]) -> Broken:
    if kind == "aws_s3_bucket_acl" and str(values.get("acl", "")).startswith("public-"):
        yield "acl", f"the ACL {values['acl']} makes the bucket public"
    if kind == "aws_s3_bucket_public_access_block":
        yield from ((name, "somebody could make the bucket public") for name in _SHUT if values.get(name) is False)
    if kind == "aws_s3_bucket_policy":
        for one in _statements(values.get("policy")):
            is_everybody = one.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
            if is_everybody and not one.get("Condition"):
                yield "policy", f"the statement {one.get('Sid', 'without a Sid')} makes the bucket public"


def _administrator(kind: str, values: Mapping[str, Any]) -> Broken:
    if kind in _POLICIES:
        for one in _statements(values.get("policy")):
            actions, resources = _texts(one.get("Action")), _texts(one.get("Resource"))
            if {"*", "*:*"} & set(actions) and "*" in resources and not one.get("Condition"):
                yield "policy", "it allows every action on every resource"
    elif values.get("policy_arn") == _ADMINISTRATOR:
        yield "policy_arn", "it attaches AdministratorAccess"


def _public_database(_: str, values: Mapping[str, Any]) -> Broken:
    if values.get("publicly_accessible") is True:
        yield "publicly_accessible", "the database has a public address"


def _statements(policy: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy that allow something."""
    try:
        document = json.loads(policy) if isinstance(policy, str) else None
    except (ValueError, RecursionError):
        return
    for one in _items(document.get("Statement") if isinstance(document, Mapping) else None):
        if isinstance(one, Mapping) and one.get("Effect") == "Allow":
            yield one


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _texts(value: Any) -> list[str]:
    return [one for one in _items(value) if isinstance(one, str)]


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


RULES = (
    Rule(
        "public-admin-port",
        Severity.DENY,
        ("aws_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"),
        _ingress,
        "list the networks that may reach it, or use the VPN",
    ),
    Rule(
        "unencrypted-storage",
        Severity.DENY,
        (*_ENCRYPTED, "aws_instance", "aws_launch_configuration"),
        _unencrypted,
        "encrypt it; you may omit the KMS key",
    ),
    Rule(
        "public-bucket",
        Severity.DENY,
        ("aws_s3_bucket_acl", "aws_s3_bucket_public_access_block", "aws_s3_bucket_policy"),
        _public_bucket,
        "serve it through CloudFront, or list who may read it",
    ),
    Rule(
        "public-database",
        Severity.DENY,
        ("aws_db_instance", "aws_rds_cluster_instance", "aws_redshift_cluster"),
        _public_database,
        "set publicly_accessible to false, and connect from inside the network",
    ),
    Rule(
        "administrator",
        Severity.DENY,
        (*_POLICIES, *(f"aws_iam_{who}_policy_attachment" for who in ("role", "user", "group"))),
        _administrator,
        "allow the actions and resources that it needs",
    ),
)
