# Rendered by ngp from environments/dev; do not edit: change environment.yaml or terraform.tfvars and run `ngp render dev`.

ephemeral "aws_secretsmanager_random_password" "registry_password" {
  password_length    = 32
  exclude_characters = "\"'\\`$@/: "
}

ephemeral "aws_secretsmanager_random_password" "registry_http_secret" {
  password_length    = 48
  exclude_characters = "\"'\\`$@/: "
}

module "docker-registry" {
  source = "../../../../modules/docker-registry"

  project                 = var.project
  environment             = var.environment
  region                  = var.region
  domain_name             = var.domain_name
  unit                    = var.unit
  pre_tag                 = var.pre_tag
  post_tag                = var.post_tag
  swarm_domain            = var.swarm_domain
  swarm_lb_dns_name       = var.swarm_lb_dns_name
  swarm_lb_zone_id        = var.swarm_lb_zone_id
  swarm_stack_bucket      = var.swarm_stack_bucket
  swarm_image_cache       = var.swarm_image_cache
  swarm_stack_prefix      = var.swarm_stack_prefix
  swarm_network_name      = var.swarm_network_name
  swarm_manager_role_name = var.swarm_manager_role_name
  swarm_kms_key_arn       = var.swarm_kms_key_arn
  registry_password       = ephemeral.aws_secretsmanager_random_password.registry_password.random_password
  registry_http_secret    = ephemeral.aws_secretsmanager_random_password.registry_http_secret.random_password
  secret_recovery_days    = var.secret_recovery_days
}
