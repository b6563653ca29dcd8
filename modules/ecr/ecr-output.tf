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
  value       = local.account_id
}

output "ecr_host" {
  description = "Name of the registry, as images begin with it."
  value       = local.host
}

output "ecr_pull_through" {
  description = "Where images of other registries are, by prefix: library/traefik of Docker Hub is below the prefix whose upstream that is."
  value       = { for prefix, rule in aws_ecr_pull_through_cache_rule.this : prefix => "${local.host}/${rule.ecr_repository_prefix}" }
}

output "ecr_pull_policy_arn" {
  description = "IAM policy for those who pull (nodes)."
  value       = aws_iam_policy.pull.arn
}

output "ecr_push_policy_arn" {
  description = "IAM policy for those who push (CI)."
  value       = aws_iam_policy.push.arn
}

output "ecr_marathon_app" {
  description = "App for Marathon that keeps marathon_archive fresh (`dcos marathon app add`); null without that."
  value = var.marathon_archive == "" ? null : jsonencode({
    id        = "/${local.unit}-login"
    cmd       = file("${path.module}/files/login.sh")
    user      = "root"
    cpus      = 0.1
    mem       = 64
    instances = 1
    env = {
      ARCHIVE       = var.marathon_archive
      AWS_CLI_IMAGE = var.marathon_cli_image
      ECR_HOST      = local.host
      INTERVAL_S    = "21600"
      REGION        = var.region
    }
    upgradeStrategy = { minimumHealthCapacity = 0, maximumOverCapacity = 0 }
  })
}
