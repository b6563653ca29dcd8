"""Rules for resources: instance metadata, encryption, security groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from ngp.catalogue import hcl
from ngp.catalogue.rules.source import Fault, ModuleSource, address, at, code, inner, literal
from ngp.errors import UsageError

WORLD = frozenset({"0.0.0.0/0", "::/0"})
_SSH = 22
_WEB = frozenset({80, 443})
_PICKED = re.compile(r"local\.([\w-]+)\[[^\]]+\]")
_RULES = ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule")
_VOLUMES = ("root_block_device", "ebs_block_device")
# resource type → attributes that must be true
_ENCRYPTED: Mapping[str, tuple[str, ...]] = {
    "aws_db_instance": ("storage_encrypted",),
    "aws_docdb_cluster": ("storage_encrypted",),
    "aws_dynamodb_table": ("server_side_encryption.enabled",),
    "aws_ebs_volume": ("encrypted",),
    "aws_efs_file_system": ("encrypted",),
    "aws_elasticache_replication_group": ("at_rest_encryption_enabled", "transit_encryption_enabled"),
    "aws_kms_key": ("enable_key_rotation",),
    "aws_neptune_cluster": ("storage_encrypted",),
    "aws_opensearch_domain": (
        "encrypt_at_rest.enabled",
        "node_to_node_encryption.enabled",
        "domain_endpoint_options.enforce_https",
    ),
    "aws_rds_cluster": ("storage_encrypted",),
    "aws_redshift_cluster": ("encrypted",),
}
# resource type → attributes that must be set
_KEYED: Mapping[str, tuple[str, ...]] = {
    "aws_ecr_repository": ("encryption_configuration",),
    "aws_sns_topic": ("kms_master_key_id",),
    "aws_sqs_queue": ("kms_master_key_id", "sqs_managed_sse_enabled"),
}


def metadata(source: ModuleSource) -> Iterator[Fault]:
    """Require IMDSv2 on instances."""
    for block in source.of("resource", "aws_instance", "aws_launch_template"):
        options = list(inner(block.body, "metadata_options"))
        if not options or any(literal(option.body, "http_tokens") != "required" for option in options):
            todo = 'metadata_options { http_tokens = "required" … }'
            yield source.flaw(block, "imdsv2", f"`{address(block)}` does not require IMDSv2", todo=todo)


def encryption(source: ModuleSource) -> Iterator[Fault]:
    """Require encryption of stored data, as explicit arguments."""
    for block in source.of("resource", *_ENCRYPTED):
        for name in _ENCRYPTED[block.labels[0]]:
            if not _is_true(at(block.body, name)):
                yield source.flaw(block, "encryption", f"`{address(block)}` has no `{name} = true`")
    for block in source.of("resource", *_KEYED):
        names = _KEYED[block.labels[0]]
        if not any(source.has(block.body, name) for name in names):
            yield source.flaw(
                block, "encryption", f"`{address(block)}` has no {' or '.join(f'`{name}`' for name in names)}"
            )
    yield from _volumes(source)


def security_groups(source: ModuleSource) -> Iterator[Fault]:
    """Require rules as separate resources, and open only web ports to the world."""
    for block in source.of("resource", "aws_security_group", "aws_default_security_group"):
        for name in ("ingress", "egress"):
            places = [rule.where for rule in inner(block.body, name)]
            if name in block.body.attributes:
                places.append(block.body.attributes[name].where)
            for place in places:
                todo = f"make each an aws_vpc_security_group_{name}_rule"
                what = f"`{address(block)}` has inline {name} rules"
                yield source.flaw(block, "inline-rules", what, where=place, todo=todo)
    for block in source.of("resource", *_RULES):
        yield from _ingress(source, block)
    for variable in source.module.variables.values():
        if variable.name.startswith(("admin", "ssh")) and _has_world(variable.default):
            yield source.fault("open-ssh", f"`{variable.name}` is open to the world by default", str(variable.place))


@cache
def taggable() -> frozenset[str]:
    """Return the resource types of hashicorp/aws 5.100 with `tags` (a test compares the list with the provider)."""
    return frozenset((Path(__file__).parent / "taggable.txt").read_text(encoding="utf-8").split())


def _volumes(source: ModuleSource) -> Iterator[Fault]:
    for block in source.of("resource", "aws_instance"):
        volumes = [volume for name in _VOLUMES for volume in inner(block.body, name)]
        if not any(True for _ in inner(block.body, "root_block_device")):
            yield source.flaw(block, "encryption", f"`{address(block)}` has no root_block_device")
        yield from _unencrypted(source, block, volumes)
    for block in source.of("resource", "aws_launch_template"):
        mappings = inner(block.body, "block_device_mappings")
        volumes = [volume for mapping in mappings for volume in inner(mapping.body, "ebs")]
        if not volumes:
            yield source.flaw(block, "encryption", f"`{address(block)}` has no block_device_mappings")
        yield from _unencrypted(source, block, volumes)


def _unencrypted(source: ModuleSource, block: hcl.Block, volumes: list[hcl.Block]) -> Iterator[Fault]:
    for volume in volumes:
        if not _is_true(at(volume.body, "encrypted")):
            what = f"a volume of `{address(block)}` is not encrypted"
            yield source.flaw(block, "encryption", what, where=volume.where)


def _is_true(attribute: hcl.Attribute | None) -> bool:
    return attribute is not None and attribute.text.strip('"') == "true"


def _ingress(source: ModuleSource, block: hcl.Block) -> Iterator[Fault]:
    if literal(block.body, "type") == "egress" or not _is_open(source, block):
        return
    ports = {port for name in ("from_port", "to_port") for port in _ports(source, block, name)}
    if _lets_in_ssh(block):
        yield source.flaw(block, "open-ssh", f"`{address(block)}` opens port 22 to the world")
    elif not ports <= _WEB:
        what = f"`{address(block)}` is open to the world"
        yield source.flaw(block, "open-ingress", what, todo="name the networks that may come in")


def _ports(source: ModuleSource, block: hcl.Block, name: str) -> set[object]:
    """The literal ports at one end of a rule; those of a local's literal map where one of them is picked."""
    attribute = block.body.attributes.get(name)
    picked = _PICKED.fullmatch(attribute.text) if attribute else None
    named = source.locals.get(picked[1]) if picked else None
    try:
        found = hcl.literal(named) if named else None
    except UsageError:
        return {None}
    return set(found.values()) if isinstance(found, dict) else {literal(block.body, name)}


def _lets_in_ssh(block: hcl.Block) -> bool:
    if str(literal(block.body, "ip_protocol") or literal(block.body, "protocol")) in {"-1", "all"}:
        return True
    first, last = literal(block.body, "from_port"), literal(block.body, "to_port")
    return isinstance(first, int) and isinstance(last, int) and first <= _SSH <= last


def _is_open(source: ModuleSource, block: hcl.Block) -> bool:
    """Whether an address of the rule, also by way of locals and defaults of inputs, is the world."""
    taken = code(block.body)
    inputs = [source.module.variables[name] for name in source.inputs(taken) if name in source.module.variables]
    texts = [attribute.text for attribute in block.body.attributes.values()]
    texts += [source.locals[name].text for name in source.locals_in(taken)]
    texts += [hcl.render(each.default) for each in inputs if each.has_default]
    return any(f'"{world}"' in text for text in texts for world in WORLD)


def _has_world(value: object) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(isinstance(each, str) and each in WORLD for each in values)
