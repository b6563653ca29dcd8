# Rendered by ngp from environments/stage; do not edit: change environment.yaml or terraform.tfvars and run `ngp render stage`.

module "network" {
  source = "../../../../modules/network"

  project     = var.project
  environment = var.environment
  region      = var.region
  domain_name = var.domain_name
  unit        = var.unit
  pre_tag     = var.pre_tag
  post_tag    = var.post_tag
  nat_mode    = var.nat_mode
}
