"""Checks ARNs against the region of a unit: its services refuse keys, certificates and topics of other regions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ngp.catalogue.constraints.accepting import ArgumentValue, Refusal

_REGIONAL = re.compile(r"arn:[a-z-]+:(acm|kms|sns):([a-z0-9-]+):")
_BUCKET_KEY = "rule.apply_server_side_encryption_by_default.kms_master_key_id"
# resource type → arguments that take only what lies in the resource's own region. Others look alike and do not:
# Cognito, AppSync and CloudFront take certificates of us-east-1, and a copy in another region has a key from there.
_PATHS: Mapping[str, str] = {
    "aws_alb_listener": "certificate_arn",
    "aws_alb_listener_certificate": "certificate_arn",
    "aws_apigatewayv2_domain_name": "domain_name_configuration.certificate_arn",
    "aws_backup_vault": "kms_key_arn",
    "aws_cloudwatch_composite_alarm": "alarm_actions insufficient_data_actions ok_actions",
    "aws_cloudwatch_log_group": "kms_key_id",
    "aws_cloudwatch_metric_alarm": "alarm_actions insufficient_data_actions ok_actions",
    "aws_db_instance": "kms_key_id performance_insights_kms_key_id",
    "aws_docdb_cluster": "kms_key_id",
    "aws_dynamodb_table": "server_side_encryption.kms_key_arn",
    "aws_ebs_volume": "kms_key_id",
    "aws_ecr_repository": "encryption_configuration.kms_key",
    "aws_ecr_repository_creation_template": "encryption_configuration.kms_key",
    "aws_efs_file_system": "kms_key_id",
    "aws_eks_cluster": "encryption_config.provider.key_arn",
    "aws_elasticache_replication_group": "kms_key_id",
    "aws_instance": "ebs_block_device.kms_key_id root_block_device.kms_key_id",
    "aws_lambda_function": "kms_key_arn",
    "aws_launch_template": "block_device_mappings.ebs.kms_key_id",
    "aws_lb_listener": "certificate_arn",
    "aws_lb_listener_certificate": "certificate_arn",
    "aws_neptune_cluster": "kms_key_arn",
    "aws_opensearch_domain": "encrypt_at_rest.kms_key_id",
    "aws_rds_cluster": "kms_key_id performance_insights_kms_key_id",
    "aws_redshift_cluster": "kms_key_id",
    "aws_s3_bucket_server_side_encryption_configuration": _BUCKET_KEY,
    "aws_secretsmanager_secret": "kms_key_id",
    "aws_sns_topic": "kms_master_key_id",
    "aws_sqs_queue": "kms_master_key_id",
}


def refusals(type_: str, values: Sequence[ArgumentValue], region: object) -> Iterator[Refusal]:
    """What a resource in `region` refuses because it lies in another one; nothing where the region is not known."""
    if not isinstance(region, str):
        return
    paths = _PATHS.get(type_, "").split()
    for each in values:
        if each.partial or each.path not in paths:
            continue
        for arn in each.value if isinstance(each.value, list) else [each.value]:
            found = _REGIONAL.match(arn) if isinstance(arn, str) else None
            if found and found[2] != region:
                yield Refusal(
                    each.path, arn, f"is of {region}, the region of the unit", f"AWS documentation: {found[1]}"
                )
