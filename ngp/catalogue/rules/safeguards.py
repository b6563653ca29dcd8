"""Rules for safeguards: backups, deletion protection, logs, updates, and permissions that others can borrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ngp.catalogue import hcl
from ngp.catalogue.constraints import drifting
from ngp.catalogue.rules import protection
from ngp.catalogue.rules.source import Fault, ModuleSource, address, code, inner

# resource type → required arguments: rule, path, and a boolean, a minimum, or None for any value
_NEEDS: Mapping[str, tuple[tuple[str, str, bool | int | None], ...]] = {
    "aws_apigatewayv2_stage": (("records", "access_log_settings", None),),
    "aws_db_instance": (
        ("backup", "backup_retention_period", 7),
        ("backup", "copy_tags_to_snapshot", True),
        ("deletion", "deletion_protection", True),
        ("deletion", "skip_final_snapshot", False),
        ("records", "enabled_cloudwatch_logs_exports", None),
        ("updates", "auto_minor_version_upgrade", True),
    ),
    "aws_docdb_cluster": (("deletion", "deletion_protection", True),),
    "aws_dynamodb_table": (("backup", "point_in_time_recovery.enabled", True),),
    "aws_ecr_repository": (
        ("deletion", "image_tag_mutability", None),
        ("updates", "image_scanning_configuration.scan_on_push", True),
    ),
    "aws_eks_cluster": (
        ("encryption", "encryption_config", None),
        ("private-endpoint", "vpc_config.endpoint_private_access", True),
        ("records", "enabled_cluster_log_types", None),
    ),
    # No updates by AWS itself: the provider replaces a group whose version is above the one that the code names.
    "aws_elasticache_replication_group": (("backup", "snapshot_retention_limit", 1),),
    "aws_lambda_function": (("records", "dead_letter_config", None),),
    "aws_opensearch_domain": (
        ("records", "log_publishing_options", None),
        ("rights", "advanced_security_options.enabled", True),
        ("updates", "software_update_options.auto_software_update_enabled", True),
    ),
    "aws_rds_cluster": (("backup", "backup_retention_period", 7), ("deletion", "deletion_protection", True)),
}


def required_arguments(source: ModuleSource) -> Iterator[Fault]:
    """Require backups, logs and automatic updates as explicit arguments."""
    for block in source.of("resource", *_NEEDS):
        for rule, path, least in _NEEDS[block.labels[0]]:
            if path == drifting.UPGRADES and _keeps_version(source, block):
                continue
            value = source.value(block.body, path)
            if not (source.has(block.body, path) if least is None else _is_enough(value, least)):
                wanted = "" if least is None else f" = {hcl.render(least)}{' or more' if type(least) is int else ''}"
                yield source.flaw(block, rule, f"`{address(block)}` has no `{path}`{wanted}")
    for block in source.of("resource", "aws_lb", "aws_alb"):
        is_web = source.value(block.body, "load_balancer_type") in (None, "application")
        if is_web and source.value(block.body, "drop_invalid_header_fields") is not True:
            yield source.flaw(block, "headers", f"`{address(block)}` has no `drop_invalid_header_fields = true`")


def bucket_versioning(source: ModuleSource) -> Iterator[Fault]:
    """Require versioning of buckets that hold data."""
    for block in source.of("resource", "aws_s3_bucket"):
        if address(block) in source.module.manifest.data and not _is_versioned(source, block):
            yield source.flaw(block, "backup", f"`{address(block)}` holds data and keeps no versions")


def file_system_backups(source: ModuleSource) -> Iterator[Fault]:
    """Yield file systems that hold data and have no backup where every input has its default."""
    off = {"DISABLED", "DISABLING"}
    policies = source.of("resource", "aws_efs_backup_policy")
    on = [each for each in policies if source.value(each.body, "backup_policy.status") not in off]
    selections = list(source.of("resource", "aws_backup_selection"))
    for block in source.of("resource", "aws_efs_file_system"):
        named = re.compile(rf"\b{re.escape(address(block))}\b")
        own = [each for each in (*on, *selections) if any(named.search(text) for text in _texts(source, each))]
        own += [each for each in selections if _selects_by_tag(each)]
        made = (each for each in own if _count(each) == _count(block) or source.value(each.body, "count") != 0)
        if address(block) in source.module.manifest.data and not any(made):
            todo = "an aws_efs_backup_policy with the status ENABLED"
            yield source.flaw(block, "backup", f"`{address(block)}` holds data and has no backup", todo=todo)


def metadata_hops(source: ModuleSource) -> Iterator[Fault]:
    """Keep containers from the role of their machine: they are one network hop further away."""
    for block in source.of("resource", "aws_instance", "aws_launch_template"):
        has_options = any(True for _ in inner(block.body, "metadata_options"))  # otherwise the rule imdsv2 reports it
        if has_options and source.value(block.body, "metadata_options.http_put_response_hop_limit") != 1:
            what = f"containers on `{address(block)}` may take its role"
            yield source.flaw(block, "metadata-hops", what, todo="http_put_response_hop_limit = 1, or give the reason")


def iam_users(source: ModuleSource) -> Iterator[Fault]:
    """Refuse IAM users: their access keys never expire."""
    for block in source.of("resource", "aws_iam_user", "aws_iam_access_key", "aws_iam_user_policy"):
        yield source.flaw(block, "iam-user", f"`{address(block)}` is for a user of IAM", todo="make a role")


def _keeps_version(source: ModuleSource, block: hcl.Block) -> bool:
    """Whether the code may name a minor version: AWS must not raise that one (rule aws-accepts)."""
    engine, version = source.value(block.body, "engine"), source.value(block.body, "engine_version")
    is_known = isinstance(engine, str)
    return version is ... or drifting.names_minor(engine if is_known else "postgres", version)


def _texts(source: ModuleSource, block: hcl.Block) -> Iterator[str]:
    """Yield the code of a block, and that of the locals in it."""
    taken = code(block.body)
    yield taken
    yield from (source.locals[name].code for name in source.locals_in(taken))


def _selects_by_tag(selection: hcl.Block) -> bool:
    """Whether a selection takes resources by a tag or a pattern, so that any may be among them."""
    resources = selection.body.attributes.get("resources")
    by_tag = any(True for name in ("selection_tag", "condition") for _ in inner(selection.body, name))
    return by_tag or (resources is not None and '*"' in resources.text)


def _count(block: hcl.Block) -> str:
    attribute = block.body.attributes.get("count")
    return attribute.text if attribute else ""


def _is_enough(value: object, least: object) -> bool:
    """Whether a value suffices. A value that only Terraform knows does: the author has set it."""
    if value is ... or isinstance(least, bool):
        return value is ... or value is least
    return isinstance(value, int) and isinstance(least, int) and value >= least


def _is_versioned(source: ModuleSource, bucket: hcl.Block) -> bool:
    return any(
        source.value(each.body, "versioning_configuration.status") == "Enabled"
        for each in protection.of_bucket(source, bucket, "versioning")
    )
