"""Rules about resources: tags, instance metadata, encryption, security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from ngp.catalogue import hcl
from ngp.catalogue.rules.source import Fault, Source, address, code, inner, literal

WORLD = frozenset({"0.0.0.0/0", "::/0"})
_SSH = 22
_RULES = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")
_VOLUMES = ("root_block_device", "ebs_block_device")
# resource type → the attribute that must be true in it
_ENCRYPTED: Mapping[str, str] = {
    "aws_ebs_volume": "encrypted",
    "aws_efs_file_system": "encrypted",
    "aws_db_instance": "storage_encrypted",
    "aws_rds_cluster": "storage_encrypted",
    "aws_elasticache_replication_group": "at_rest_encryption_enabled",
}


def tags(source: Source) -> Iterator[Fault]:
    """Every resource that can have tags gets the module's, and those that it starts get them too."""
    for block in source.of("resource"):
        type_, attributes = block.labels[0], block.body.attributes
        if type_ == "aws_autoscaling_group":
            propagates = [literal(tag.body, "propagate_at_launch") for tag in inner(block.body, "tag")]
            if not propagates or not all(value is True for value in propagates):
                why = "default tags of the provider do not reach its instances"
                what = f"`{address(block)}` does not propagate its tags at launch"
                yield source.fault("tags", what, block.where, why=why)
        elif type_ in taggable() and ("tags" not in attributes or not attributes["tags"].code.strip(" {}\n")):
            yield source.fault(
                "tags", f"`{address(block)}` passes no tags", block.where, todo="tags = merge(local.tags, …)"
            )
        if type_ == "aws_launch_template" and not any(True for _ in inner(block.body, "tag_specifications")):
            yield source.fault("tags", f"`{address(block)}` has no tag_specifications", block.where)
    if any(source.of("resource")) and "tags" in source.module.variables and "tags" not in _inputs(source):
        yield source.fault("tags", "the input `tags` reaches no resource", str(source.module.variables["tags"].place))


def metadata(source: Source) -> Iterator[Fault]:
    """Instances answer only IMDSv2 on their metadata address."""
    for block in source.of("resource", "aws_instance", "aws_launch_template"):
        options = list(inner(block.body, "metadata_options"))
        if not options or any(literal(option.body, "http_tokens") != "required" for option in options):
            todo = 'metadata_options { http_tokens = "required" … }'
            yield source.fault("imdsv2", f"`{address(block)}` does not require IMDSv2", block.where, todo=todo)


def encryption(source: Source) -> Iterator[Fault]:
    """Disks are encrypted, each said in so many words."""
    for block in source.of("resource", *_ENCRYPTED):
        name = _ENCRYPTED[block.labels[0]]
        if literal(block.body, name) not in (True, "true"):
            yield source.fault("encryption", f"`{address(block)}` has no `{name} = true`", block.where)
    for block in source.of("resource", "aws_instance"):
        volumes = [volume for name in _VOLUMES for volume in inner(block.body, name)]
        if not any(True for _ in inner(block.body, "root_block_device")):
            yield source.fault("encryption", f"`{address(block)}` has no root_block_device", block.where)
        yield from _unencrypted(source, block, volumes)
    for block in source.of("resource", "aws_launch_template"):
        mappings = inner(block.body, "block_device_mappings")
        volumes = [volume for mapping in mappings for volume in inner(mapping.body, "ebs")]
        if not volumes:
            yield source.fault("encryption", f"`{address(block)}` has no block_device_mappings", block.where)
        yield from _unencrypted(source, block, volumes)


def security_groups(source: Source) -> Iterator[Fault]:
    """Rules are resources of their own, and SSH is not open to the world."""
    for block in source.of("resource", "aws_security_group", "aws_default_security_group"):
        for name in ("ingress", "egress"):
            places = [rule.where for rule in inner(block.body, name)]
            if name in block.body.attributes:
                places.append(block.body.attributes[name].where)
            for place in places:
                todo = f"make each an aws_vpc_security_group_{name}_rule"
                yield source.fault("inline-rules", f"`{address(block)}` has inline {name} rules", place, todo=todo)
    for block in source.of("resource", *_RULES):
        if _lets_in_ssh(block) and _is_open(source, block):
            yield source.fault("open-ssh", f"`{address(block)}` opens port 22 to the world", block.where)
    for variable in source.module.variables.values():
        if variable.name.startswith(("admin", "ssh")) and _has_world(variable.default):
            yield source.fault("open-ssh", f"`{variable.name}` is open to the world by default", str(variable.place))


@cache
def taggable() -> frozenset[str]:
    """The resource types of hashicorp/aws 5.100 that have `tags` (a test holds the list against the provider)."""
    return frozenset((Path(__file__).parent / "taggable.txt").read_text(encoding="utf-8").split())


def _inputs(source: Source) -> set[str]:
    return source.inputs("\n".join(code(block.body) for block in source.of("resource")))


def _unencrypted(source: Source, block: hcl.Block, volumes: list[hcl.Block]) -> Iterator[Fault]:
    for volume in volumes:
        if literal(volume.body, "encrypted") not in (True, "true"):
            yield source.fault("encryption", f"a volume of `{address(block)}` is not encrypted", volume.where)


def _lets_in_ssh(block: hcl.Block) -> bool:
    if literal(block.body, "type") == "egress":
        return False
    if str(literal(block.body, "ip_protocol") or literal(block.body, "protocol")) in {"-1", "all"}:
        return True
    first, last = literal(block.body, "from_port"), literal(block.body, "to_port")
    return isinstance(first, int) and isinstance(last, int) and first <= _SSH <= last


def _is_open(source: Source, block: hcl.Block) -> bool:
    names = ("cidr_ipv4", "cidr_ipv6", "cidr_blocks", "ipv6_cidr_blocks")
    if any(_has_world(literal(block.body, name)) for name in names):
        return True
    variables = source.module.variables
    taken = [variables[name] for name in source.inputs(code(block.body)) if name in variables]
    return any(_has_world(variable.default) for variable in taken)


def _has_world(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, str) and each in WORLD for each in values)
