"""Known differences between the sandbox and AWS, shown in docs/sandbox.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """One difference: `about` is a resource type or a service, `what` completes the sentence."""

    about: str
    what: str


GAPS = (
    Gap("everything", "is in memory only: all is lost when the sandbox stops, including Terraform's state"),
    Gap("aws_autoscaling_lifecycle_hook", "keeps no target of notifications, and no instance waits for it"),
    Gap("aws_opensearch_domain", "takes ten minutes to create and ten to delete: Terraform's provider waits, not moto"),
    Gap("aws_eks_cluster", "takes up to a minute to delete, for the same reason; no API answers and no node boots"),
    Gap("aws_db_instance", "has no maintenance window: pending changes need a later apply_immediately = true"),
    Gap("aws_elasticache_replication_group", "cannot get more or fewer nodes"),
    Gap("aws_elasticache_replication_group", "has no maintenance window either"),
    Gap("aws_elasticache_parameter_group", "is not supported"),
    Gap("aws_elasticache_cluster", "still exists after it was deleted"),
    Gap("aws_backup_vault_policy", "is not supported"),
    Gap("aws_lambda_function", "of an image differs in the next plan: it has an image_config without any values"),
    Gap("aws_ses_identity_policy", "is not supported"),
    Gap("aws_sqs_queue_redrive_policy", "differs in the next plan if its JSON has blanks: use jsonencode"),
    Gap(
        "roles",
        "of machines, and those that they assume, are held to their policies; those of resources and keys do not count",
    ),
    Gap("AWS Health, EC2 maintenance events", "are never reported"),
)
