# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

module "network" {
  source = "../../../../modules/network"

  project            = var.project
  environment        = var.environment
  region             = var.region
  domain_name        = var.domain_name
  unit               = var.unit
  pre_tag            = var.pre_tag
  post_tag           = var.post_tag
  log_retention_days = var.log_retention_days
  az_count           = var.az_count
  nat_mode           = var.nat_mode
  private_endpoints  = var.private_endpoints
  endpoint_services  = var.endpoint_services
}
