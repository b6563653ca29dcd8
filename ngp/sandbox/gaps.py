"""Known differences between the sandbox and AWS, shown in docs/sandbox.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """One difference: `about` is a resource type or a service, `what` completes the sentence."""

    about: str
    what: str


GAPS = (
    Gap("everything", "is held in memory: it is gone when the sandbox stops, and Terraform's state with it"),
    Gap("aws_autoscaling_lifecycle_hook", "keeps no target of notifications, and no instance waits for it"),
    Gap("aws_opensearch_domain", "takes ten minutes to come and ten to go: Terraform's provider waits, not moto"),
    Gap("aws_eks_cluster", "takes up to a minute to go, for the same reason; no API answers and no node boots"),
    Gap("aws_db_instance", "has no maintenance window: what waits comes with a later apply_immediately = true"),
    Gap("aws_elasticache_replication_group", "cannot get more or fewer nodes"),
    Gap("aws_elasticache_replication_group", "has no maintenance window either"),
    Gap("aws_elasticache_parameter_group", "is not there"),
    Gap("aws_elasticache_cluster", "is never gone once it is deleted"),
    Gap("aws_backup_vault_policy", "is not there"),
    Gap("aws_lambda_function", "of an image differs in the next plan: it has an image_config without any values"),
    Gap("aws_ses_identity_policy", "is not there"),
    Gap("aws_sqs_queue_redrive_policy", "differs in the next plan if its JSON has blanks: use jsonencode"),
    Gap(
        "roles",
        "of machines, and those that they assume, are held to their policies; those of resources and keys do not count",
    ),
    Gap("AWS Health, EC2 maintenance events", "are never reported"),
)
