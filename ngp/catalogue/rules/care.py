"""Rules about what is missed too late: copies of data, locks against deletion, records, updates, borrowed rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ngp.catalogue import hcl
from ngp.catalogue.rules import protection
from ngp.catalogue.rules.source import Fault, Source, address, inner

# resource type → what must stand in it: rule, path, and a truth, a smallest number, or None for anything at all
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
    "aws_elasticache_replication_group": (
        ("backup", "snapshot_retention_limit", 1),
        ("updates", "auto_minor_version_upgrade", True),
    ),
    "aws_lambda_function": (("records", "dead_letter_config", None),),
    "aws_opensearch_domain": (
        ("records", "log_publishing_options", None),
        ("rights", "advanced_security_options.enabled", True),
        ("updates", "software_update_options.auto_software_update_enabled", True),
    ),
    "aws_rds_cluster": (("backup", "backup_retention_period", 7), ("deletion", "deletion_protection", True)),
}


def needs(source: Source) -> Iterator[Fault]:
    """Data can be had back, what fails leaves a trace, what is old is renewed; each said in so many words."""
    for block in source.of("resource", *_NEEDS):
        for rule, path, least in _NEEDS[block.labels[0]]:
            said = source.said(block.body, path)
            if not (source.has(block.body, path) if least is None else _is_enough(said, least)):
                wanted = "" if least is None else f" = {hcl.render(least)}{' or more' if type(least) is int else ''}"
                yield source.flaw(block, rule, f"`{address(block)}` has no `{path}`{wanted}")
    for block in source.of("resource", "aws_lb", "aws_alb"):
        is_web = source.said(block.body, "load_balancer_type") in (None, "application")
        if is_web and source.said(block.body, "drop_invalid_header_fields") is not True:
            yield source.flaw(block, "headers", f"`{address(block)}` has no `drop_invalid_header_fields = true`")


def versions(source: Source) -> Iterator[Fault]:
    """What is overwritten or deleted in a bucket that holds data can be had back."""
    for block in source.of("resource", "aws_s3_bucket"):
        if address(block) in source.module.manifest.data and not _is_versioned(source, block):
            yield source.flaw(block, "backup", f"`{address(block)}` holds data and keeps no versions")


def hops(source: Source) -> Iterator[Fault]:
    """Rights of a machine are the machine's: its containers, one hop further away, do not reach them."""
    for block in source.of("resource", "aws_instance", "aws_launch_template"):
        has_options = any(True for _ in inner(block.body, "metadata_options"))  # else the rule imdsv2 says it
        if has_options and source.said(block.body, "metadata_options.http_put_response_hop_limit") != 1:
            what = f"containers on `{address(block)}` may take its role"
            yield source.flaw(block, "metadata-hops", what, todo="http_put_response_hop_limit = 1, or give the reason")


def users(source: Source) -> Iterator[Fault]:
    """Rights are of roles: nobody gets a key that never ends."""
    for block in source.of("resource", "aws_iam_user", "aws_iam_access_key", "aws_iam_user_policy"):
        yield source.flaw(block, "iam-user", f"`{address(block)}` is for a user of IAM", todo="make a role")


def _is_enough(said: object, least: object) -> bool:
    """What only Terraform knows is enough: its author has said something."""
    if said is ... or isinstance(least, bool):
        return said is ... or said is least
    return isinstance(said, int) and isinstance(least, int) and said >= least


def _is_versioned(source: Source, bucket: hcl.Block) -> bool:
    return any(
        source.said(each.body, "versioning_configuration.status") == "Enabled"
        for each in protection.of_bucket(source, bucket, "versioning")
    )
