"""ngp's own rules: what each denies, what it lets pass, and what it does not decide."""

import json

import pytest

from ngp.policies import builtin
from ngp.terraform.plans import SENSITIVE, Action, Change

EVERY = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
READ = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "a"}]}
WORLD = {"protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}


def broken(kind, after, action=Action.CREATE, **more):
    change = Change("module.a.b.c", kind, action, {}, after, **more)
    return [(rule.id, attribute) for rule, attribute, _ in builtin.check(change)]


@pytest.mark.parametrize(
    ("kind", "after", "rule", "attribute"),
    [
        (
            "aws_security_group",
            {"ingress": [{**WORLD, "from_port": 20, "to_port": 30}]},
            "public-admin-port",
            "ingress[0]",
        ),
        (
            "aws_security_group_rule",
            {"type": "ingress", "protocol": "-1", "from_port": 0, "to_port": 0, "ipv6_cidr_blocks": ["::/0"]},
            "public-admin-port",
            "cidr_blocks",
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"ip_protocol": "tcp", "from_port": 5432, "to_port": 5432, "cidr_ipv4": "0.0.0.0/0"},
            "public-admin-port",
            "cidr_ipv4",
        ),
        ("aws_db_instance", {"storage_encrypted": False}, "unencrypted-storage", "storage_encrypted"),
        (
            "aws_instance",
            {"root_block_device": [{"encrypted": False}]},
            "unencrypted-storage",
            "root_block_device[0].encrypted",
        ),
        (
            "aws_elasticache_replication_group",
            {"at_rest_encryption_enabled": "false"},
            "unencrypted-storage",
            "at_rest_encryption_enabled",
        ),
        ("aws_db_instance", {"publicly_accessible": True}, "public-database", "publicly_accessible"),
        ("aws_s3_bucket_acl", {"acl": "public-read"}, "public-bucket", "acl"),
        ("aws_s3_bucket_public_access_block", {"block_public_acls": False}, "public-bucket", "block_public_acls"),
        ("aws_s3_bucket_policy", {"policy": json.dumps(READ)}, "public-bucket", "policy"),
        ("aws_iam_role_policy", {"policy": json.dumps(EVERY)}, "administrator", "policy"),
        (
            "aws_iam_role_policy_attachment",
            {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            "administrator",
            "policy_arn",
        ),
    ],
)
def test_a_rule_denies(kind, after, rule, attribute):
    assert broken(kind, after) == [(rule, attribute)]
    assert broken(kind, after, Action.UPDATE) == [(rule, attribute)]
    assert broken(kind, after, Action.DELETE) == []
    assert broken(kind, after, mode="data") == []


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("aws_security_group", {"ingress": [{**WORLD, "from_port": 443, "to_port": 443}]}),
        ("aws_security_group", {"ingress": [{**WORLD, "cidr_blocks": ["10.0.0.0/8"], "from_port": 22, "to_port": 22}]}),
        ("aws_security_group", {"ingress": [{**WORLD, "protocol": "udp", "from_port": 0, "to_port": 65535}]}),
        ("aws_security_group", {"egress": [{**WORLD, "from_port": 22, "to_port": 22}]}),
        ("aws_security_group_rule", {"type": "egress", **WORLD, "from_port": 22, "to_port": 22}),
        ("aws_security_group", {"ingress": [{**WORLD, "from_port": None, "to_port": None}]}),
        ("aws_security_group", {"ingress": None}),
        ("aws_security_group", {}),
        ("aws_db_instance", {"storage_encrypted": True, "publicly_accessible": None}),
        ("aws_db_instance", {"storage_encrypted": None}),
        ("aws_instance", {"root_block_device": [{"encrypted": None}]}),
        ("aws_s3_bucket_acl", {"acl": "private"}),
        ("aws_s3_bucket_policy", {"policy": SENSITIVE}),
        ("aws_s3_bucket_policy", {"policy": "[" * 100_000}),
        (
            "aws_s3_bucket_policy",
            {"policy": json.dumps({"Statement": [{**READ["Statement"][0], "Condition": {"Bool": {"x": "y"}}}]})},
        ),
        ("aws_s3_bucket_policy", {"policy": json.dumps({"Statement": [{**READ["Statement"][0], "Effect": "Deny"}]})}),
        ("aws_iam_role_policy", {"policy": json.dumps({"Statement": {**EVERY["Statement"], "Resource": "a"}})}),
        ("aws_iam_role_policy", {"policy": "null"}),
        ("aws_iam_role_policy_attachment", {"policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    ],
)
def test_a_rule_lets_pass(kind, after):
    assert broken(kind, after) == []


def test_every_rule_has_a_way_out():
    assert all(rule.todo and rule.types for rule in builtin.RULES)
    assert len({rule.id for rule in builtin.RULES}) == len(builtin.RULES)
