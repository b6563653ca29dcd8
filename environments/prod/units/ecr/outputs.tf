# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

output "repository_urls" {
  description = "Addresses of the repositories, by name."
  value       = module.ecr.repository_urls
}

output "repository_arns" {
  description = "ARNs of the repositories, by name."
  value       = module.ecr.repository_arns
}

output "registry_id" {
  description = "Id of the registry: the account."
  value       = module.ecr.registry_id
}

output "ecr_host" {
  description = "Name of the registry, as images begin with it."
  value       = module.ecr.ecr_host
}

output "ecr_pull_through" {
  description = "Where images of other registries are, by prefix: library/traefik of Docker Hub is below the prefix whose upstream that is."
  value       = module.ecr.ecr_pull_through
}

output "ecr_pull_policy_arn" {
  description = "IAM policy for those who pull (nodes)."
  value       = module.ecr.ecr_pull_policy_arn
}

output "ecr_push_policy_arn" {
  description = "IAM policy for those who push (CI)."
  value       = module.ecr.ecr_push_policy_arn
}

output "ecr_marathon_app" {
  description = "App for Marathon that keeps marathon_archive fresh (`dcos marathon app add`); null without that."
  value       = module.ecr.ecr_marathon_app
}
