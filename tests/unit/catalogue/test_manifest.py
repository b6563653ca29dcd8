from pathlib import Path

import pytest

from ngp import yaml
from ngp.catalogue import manifest
from ngp.catalogue.module import Effect, Generated, Manifest, ModuleStatus, Origin, ReadinessCheck, Upgrade
from ngp.errors import UsageError

FULL = """
title: VPN
summary: A VPN.
category: access
status: legacy
version: 1.2.3
requires: [vpc_id]
provides: [security_group_id]
conflicts: {dcos: both want the same ports}
generated: {admin_password: {length: 20, exclude_characters: "'"}}
reveal: {password: password_arn}
ready: [{kind: http, target: url, expect: "200"}]
data: [aws_instance.this]
quorum: [aws_instance.manager]
marketplace: [abc]
preflight: [hosted_zone, quota:ec2/L-0263D0A3, marketplace:engine=a-b]
upgrade:
  size: {effect: restart}
  ami: {effect: replace, note: Save it first., resources: [aws_instance.this]}
cost: much
wildcards: {"ec2:Describe*": knows no resources}
exceptions: {open-ingress aws_vpc_security_group_ingress_rule.this: everybody comes}
source: {address: "git::https://h/r", commit: "0123456789012345678901234567890123456789", checksum: "h1:SUM"}
""".replace("SUM", f"{'A' * 43}=")


def read(text):
    return manifest.build(manifest.read(yaml.parse(text, Path("module.yaml"))))


def test_a_manifest_says_all_that_it_can():
    assert read(FULL) == Manifest(
        title="VPN",
        summary="A VPN.",
        category="access",
        status=ModuleStatus.LEGACY,
        version="1.2.3",
        requires=("vpc_id",),
        provides=("security_group_id",),
        conflicts={"dcos": "both want the same ports"},
        generated={"admin_password": Generated(20, "'")},
        reveal={"password": "password_arn"},
        ready=(ReadinessCheck("http", "url", "200"),),
        data=("aws_instance.this",),
        quorum=("aws_instance.manager",),
        marketplace=("abc",),
        preflight=("hosted_zone", "quota:ec2/L-0263D0A3", "marketplace:engine=a-b"),
        upgrade={
            "size": Upgrade(Effect.RESTART),
            "ami": Upgrade(Effect.REPLACE, "Save it first.", ("aws_instance.this",)),
        },
        cost="much",
        wildcards={"ec2:Describe*": "knows no resources"},
        exceptions={"open-ingress aws_vpc_security_group_ingress_rule.this": "everybody comes"},
        source=Origin("git::https://h/r", f"h1:{'A' * 43}=", "0123456789012345678901234567890123456789"),
    )


def test_what_is_left_out_is_as_the_value_says():
    assert read("title: T\nsummary: S\ncategory: c") == Manifest("T", "S", "c")


def test_the_schema_knows_exactly_the_fields_of_the_value():
    schema = manifest.schema()
    assert set(schema["properties"]) == set(Manifest.__dataclass_fields__)
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())


@pytest.mark.parametrize(
    "line",
    [
        "status: new",
        "requires: vpc_id",
        "wildcards: {'*': why}",
        "wildcards: {'ec2:Run': ''}",
        "preflight: [quota]",
        "preflight: [quota:L-0263D0A3]",
    ]
    + ["data: [this]", "ready: [{kind: ssh, target: x}]", "conflicts: {Big: why}", "generated: {x: {length: 2}}"]
    + ["exceptions: {open-ingress: why}", "source: {address: x, checksum: y}", "source: {address: x, commit: v1}"],
)
def test_a_wrong_value_is_told_with_its_line(line):
    with pytest.raises(UsageError) as caught:
        read(f"title: T\nsummary: S\ncategory: c\n{line}\n")
    assert str(caught.value).startswith(f"module.yaml:4: `{line.split(':')[0]}")
    assert " is invalid; " in str(caught.value)


def test_something_else_than_a_mapping_is_refused():
    with pytest.raises(UsageError, match="must be a mapping"):
        read("[a]")
