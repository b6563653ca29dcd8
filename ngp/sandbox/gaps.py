"""In what the emulators differ from AWS so that an operator notices: one table, shown by the pages."""

from __future__ import annotations

from dataclasses import dataclass

from ngp.sandbox.engines import MINISTACK, MOTO


@dataclass(frozen=True)
class Gap:
    """`about` is a resource type or a service; `what` is how it looks from outside."""

    engine: str
    about: str
    what: str


GAPS = (
    Gap(MOTO, "everything", "is held in memory: it is gone when the sandbox stops, and Terraform's state with it"),
    Gap(MOTO, "aws_autoscaling_lifecycle_hook", "keeps no target of notifications, and no instance waits for it"),
    Gap(MOTO, "aws_opensearch_domain", "takes ten minutes to come and ten to go: Terraform's provider waits, not moto"),
    Gap(MOTO, "aws_eks_cluster", "takes up to a minute to go, for the same reason; no API answers and no node boots"),
    Gap(MOTO, "aws_db_instance", "has no maintenance window: what waits comes with a later apply_immediately = true"),
    Gap(MOTO, "aws_elasticache_replication_group", "cannot get more or fewer nodes"),
    Gap(MOTO, "aws_elasticache_replication_group", "changes at once, also without apply_immediately"),
    Gap(MOTO, "aws_elasticache_parameter_group", "is not there"),
    Gap(MOTO, "aws_elasticache_cluster", "is never gone once it is deleted"),
    Gap(MOTO, "aws_backup_vault_policy", "is not there"),
    Gap(MOTO, "aws_lambda_function", "of an image differs in the next plan: it has an image_config without any values"),
    Gap(MOTO, "aws_ses_identity_policy", "is not there"),
    Gap(MOTO, "aws_sqs_queue_redrive_policy", "differs in the next plan if its JSON has blanks: use jsonencode"),
    Gap(
        MOTO,
        "roles",
        "of machines are held to their own policies; those of resources, keys and other roles do not count",
    ),
    Gap(MOTO, "AWS Health, EC2 maintenance events", "are never reported"),
    Gap(MINISTACK, "aws_instance", "forgets an encrypted root volume, so that the next plan replaces the instance"),
    Gap(MINISTACK, "aws_instance", "refuses source_dest_check = false"),
    Gap(MINISTACK, "aws_eip_association", "refuses a second one"),
    Gap(MINISTACK, "aws_ecr_repository", "refuses scanning on push"),
    Gap(MINISTACK, "aws_flow_log", "is replaced by every plan"),
    Gap(MINISTACK, "aws_efs_access_point", "is replaced by every plan"),
    Gap(MINISTACK, "aws_key_pair", "differs in the next plan"),
    Gap(MINISTACK, "aws_ami", "an image of the marketplace is not found by its product code"),
    Gap(MINISTACK, "Terraform's -parallelism", "above the default lets security groups race"),
)
