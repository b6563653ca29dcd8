output "repository_urls" {
  description = "Addresses of the repositories, by name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "ARNs of the repositories, by name."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}

output "registry_id" {
  description = "Id of the registry: the account."
  value       = data.aws_caller_identity.current.account_id
}

output "ecr_host" {
  description = "Name of the registry, as images begin with it."
  value       = "${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.region}.${data.aws_partition.current.dns_suffix}"
}

output "ecr_pull_policy_arn" {
  description = "IAM policy for those who pull (nodes)."
  value       = aws_iam_policy.pull.arn
}

output "ecr_push_policy_arn" {
  description = "IAM policy for those who push (CI)."
  value       = aws_iam_policy.push.arn
}
