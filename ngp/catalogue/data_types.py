"""Resource types that contain data, which is lost if such a resource is deleted or replaced.

A manifest's `data` names more of a module's resources, such as a machine whose disk has a certificate authority.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# reason → types; the reason completes "TYPE holds …"
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "rows that nothing else has": (
        "aws_cloudfront_key_value_store",
        "aws_cloudsearch_domain",
        "aws_customerprofiles_domain",
        "aws_db_instance",
        "aws_docdb_cluster",
        "aws_docdbelastic_cluster",
        "aws_dsql_cluster",
        "aws_dynamodb_table",
        "aws_dynamodb_global_table",
        "aws_eks_cluster",  # every Kubernetes object
        "aws_elasticache_cluster",
        "aws_elasticache_replication_group",
        "aws_elasticache_serverless_cache",
        "aws_elasticsearch_domain",
        "aws_finspace_kx_database",
        "aws_keyspaces_keyspace",
        "aws_keyspaces_table",
        "aws_lightsail_database",
        "aws_location_geofence_collection",
        "aws_location_tracker",
        "aws_memorydb_cluster",
        "aws_neptune_cluster",
        "aws_neptunegraph_graph",
        "aws_opensearch_domain",
        "aws_opensearchserverless_collection",
        "aws_prometheus_workspace",
        "aws_qldb_ledger",
        "aws_rds_cluster",
        "aws_redshift_cluster",
        "aws_redshiftserverless_namespace",
        "aws_s3tables_table",
        "aws_sagemaker_feature_group",
        "aws_simpledb_domain",
        "aws_timestreaminfluxdb_db_instance",
        "aws_timestreamwrite_table",
    ),
    "objects that nothing else has": (
        "aws_dataexchange_data_set",
        "aws_glacier_vault",
        "aws_lightsail_bucket",
        "aws_media_store_container",
        "aws_s3_bucket",
        "aws_s3_directory_bucket",
        "aws_s3control_bucket",
        "aws_s3tables_table_bucket",
    ),
    "files or blocks of a disk": (
        "aws_cloud9_environment_ec2",
        "aws_codecatalyst_dev_environment",
        "aws_ebs_volume",
        "aws_efs_file_system",
        "aws_finspace_kx_volume",
        "aws_fsx_lustre_file_system",
        "aws_fsx_ontap_file_system",
        "aws_fsx_ontap_volume",
        "aws_fsx_openzfs_file_system",
        "aws_fsx_openzfs_volume",
        "aws_fsx_windows_file_system",
        "aws_lightsail_disk",
        "aws_lightsail_instance",
        "aws_sagemaker_domain",  # the home folders of its users
        "aws_sagemaker_notebook_instance",
        "aws_sagemaker_space",
        "aws_storagegateway_cached_iscsi_volume",
        "aws_storagegateway_gateway",
        "aws_storagegateway_stored_iscsi_volume",
        "aws_workspaces_workspace",
    ),
    "the copies that a restore needs": (
        "aws_ami",
        "aws_ami_copy",
        "aws_ami_from_instance",
        "aws_backup_vault",
        "aws_backup_logically_air_gapped_vault",
        "aws_db_cluster_snapshot",
        "aws_db_instance_automated_backups_replication",
        "aws_db_snapshot",
        "aws_db_snapshot_copy",
        "aws_docdb_cluster_snapshot",
        "aws_ebs_snapshot",
        "aws_ebs_snapshot_copy",
        "aws_ebs_snapshot_import",
        "aws_fsx_backup",
        "aws_fsx_openzfs_snapshot",
        "aws_kinesisanalyticsv2_application_snapshot",
        "aws_memorydb_snapshot",
        "aws_neptune_cluster_snapshot",
        "aws_rds_cluster_snapshot_copy",
        "aws_redshift_cluster_snapshot",
        "aws_redshiftserverless_snapshot",
    ),
    "messages that nobody has read yet": (
        "aws_kinesis_stream",
        "aws_kinesis_video_stream",
        "aws_mq_broker",
        "aws_msk_cluster",
        "aws_msk_serverless_cluster",
        "aws_sqs_queue",
    ),
    "a key; what it encrypted or signed is worthless without it": (
        "aws_acmpca_certificate_authority",
        "aws_cloudhsm_v2_cluster",
        "aws_iot_certificate",
        "aws_kms_custom_key_store",
        "aws_kms_external_key",
        "aws_kms_key",
        "aws_kms_replica_external_key",
        "aws_kms_replica_key",
        "aws_paymentcryptography_key",
        "tls_private_key",
    ),
    "a secret that may have been set or rotated by hand": (
        "aws_secretsmanager_secret",
        "aws_ssm_parameter",  # of the type SecureString
    ),
    "accounts and passwords of people": (
        "aws_cognito_identity_pool",
        "aws_cognito_user",
        "aws_cognito_user_pool",
        "aws_directory_service_directory",
        "aws_identitystore_user",
        "aws_organizations_account",
        "aws_quicksight_namespace",
    ),
    "images, packages or commits": (
        "aws_codeartifact_domain",
        "aws_codeartifact_repository",
        "aws_codecatalyst_project",
        "aws_codecatalyst_source_repository",
        "aws_codecommit_repository",
        "aws_ecr_repository",
        "aws_ecrpublic_repository",
    ),
    "records of what happened": (
        "aws_auditmanager_assessment",
        "aws_cloudtrail_event_data_store",
        "aws_cloudwatch_event_archive",
        "aws_cloudwatch_log_group",
        "aws_cloudwatch_log_stream",
        "aws_detective_graph",
        "aws_guardduty_detector",
        "aws_macie2_account",
        "aws_sagemaker_mlflow_tracking_server",
        "aws_securityhub_account",
        "aws_ssmincidents_replication_set",
    ),
    "names that others rely on, and records that others may have added": (
        "aws_lightsail_domain",
        "aws_route53_delegation_set",
        "aws_route53_zone",
        "aws_route53domains_domain",
        "aws_route53domains_registered_domain",
    ),
    "contacts of people, or the numbers that they call": (
        "aws_connect_phone_number",
        "aws_pinpoint_app",
        "aws_pinpointsmsvoicev2_opt_out_list",
        "aws_pinpointsmsvoicev2_phone_number",
        "aws_sesv2_contact_list",
    ),
    "faces or voices that were enrolled": (
        "aws_chimesdkvoice_voice_profile_domain",
        "aws_rekognition_collection",
    ),
    "what people make in its own pages: dashboards, flows, catalogues, connections": (
        "aws_connect_instance",
        "aws_datazone_domain",
        "aws_datazone_project",
        "aws_grafana_workspace",
        "aws_mwaa_environment",
        "aws_quicksight_account_subscription",
    ),
    "schemas, definitions or policies that programs add": (
        "aws_glue_catalog_database",
        "aws_glue_registry",
        "aws_verifiedpermissions_policy_store",
    ),
}
_OPEN_PARAMETERS = ("String", "StringList")  # their values are in the configuration for all to read
_REASONS = {kind: reason for reason, kinds in _GROUPS.items() for kind in kinds}


def reason(resource_type: str, before: Any = None) -> str:
    """Return what a resource of this type contains ("rows that nothing else has"), "" if it need not contain data.

    `before` are its attributes, if known: a parameter counts only if it is a SecureString.
    """
    if resource_type == "aws_ssm_parameter" and isinstance(before, Mapping) and before.get("type") in _OPEN_PARAMETERS:
        return ""
    return _REASONS.get(resource_type, "")
