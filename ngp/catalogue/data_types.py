"""Resource types that hold data: deleting or replacing such a resource loses what its owner cannot make again.

A manifest's `data` names more of a module's resources, such as a machine whose disk keeps a certificate authority. A
type is in a group here if every resource of the type holds data, whatever the module says.
"""

from __future__ import annotations

from collections.abc import Mapping

# reason → types; the reason completes "TYPE holds …"
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "rows that nothing else has": (
        "aws_db_instance",
        "aws_docdb_cluster",
        "aws_dynamodb_table",
        "aws_dynamodb_global_table",
        "aws_eks_cluster",  # every Kubernetes object
        "aws_elasticache_cluster",
        "aws_elasticache_replication_group",
        "aws_elasticache_serverless_cache",
        "aws_elasticsearch_domain",
        "aws_keyspaces_table",
        "aws_lightsail_database",
        "aws_memorydb_cluster",
        "aws_neptune_cluster",
        "aws_neptunegraph_graph",
        "aws_opensearch_domain",
        "aws_opensearchserverless_collection",
        "aws_qldb_ledger",
        "aws_rds_cluster",
        "aws_redshift_cluster",
        "aws_redshiftserverless_namespace",
        "aws_s3tables_table",
        "aws_simpledb_domain",
        "aws_timestreaminfluxdb_db_instance",
        "aws_timestreamwrite_table",
    ),
    "objects that nothing else has": (
        "aws_glacier_vault",
        "aws_lightsail_bucket",
        "aws_s3_bucket",
        "aws_s3_directory_bucket",
        "aws_s3tables_table_bucket",
    ),
    "files or blocks of a disk": (
        "aws_ebs_volume",
        "aws_efs_file_system",
        "aws_fsx_lustre_file_system",
        "aws_fsx_ontap_file_system",
        "aws_fsx_ontap_volume",
        "aws_fsx_openzfs_file_system",
        "aws_fsx_openzfs_volume",
        "aws_fsx_windows_file_system",
        "aws_lightsail_disk",
    ),
    "the copies that a restore needs": (
        "aws_ami",
        "aws_ami_copy",
        "aws_ami_from_instance",
        "aws_backup_vault",
        "aws_backup_logically_air_gapped_vault",
        "aws_db_cluster_snapshot",
        "aws_db_snapshot",
        "aws_ebs_snapshot",
        "aws_ebs_snapshot_copy",
        "aws_redshift_cluster_snapshot",
    ),
    "messages that nobody has read yet": (
        "aws_kinesis_stream",
        "aws_mq_broker",
        "aws_msk_cluster",
        "aws_msk_serverless_cluster",
        "aws_sqs_queue",
    ),
    "a key; what it encrypted or signed is worthless without it": (
        "aws_acmpca_certificate_authority",
        "aws_cloudhsm_v2_cluster",
        "aws_kms_external_key",
        "aws_kms_key",
        "aws_kms_replica_key",
        "tls_private_key",
    ),
    "a secret that may have been set or rotated by hand": ("aws_secretsmanager_secret",),
    "accounts and passwords of people": (
        "aws_cognito_identity_pool",
        "aws_cognito_user_pool",
        "aws_directory_service_directory",
    ),
    "images, packages or commits": (
        "aws_codeartifact_repository",
        "aws_codecommit_repository",
        "aws_ecr_repository",
        "aws_ecrpublic_repository",
    ),
    "records of what happened": (
        "aws_cloudtrail_event_data_store",
        "aws_cloudwatch_log_group",
    ),
}
_REASONS = {kind: reason for reason, kinds in _GROUPS.items() for kind in kinds}


def reason(resource_type: str) -> str:
    """Return what a resource of this type holds ("rows that nothing else has"), or "" if it need not hold data."""
    return _REASONS.get(resource_type, "")
