# Rendered by ngp from environments/dev; do not edit: change environment.yaml or terraform.tfvars and run `ngp render dev`.

module "swarm" {
  source = "../../../../modules/swarm"

  project                      = var.project
  environment                  = var.environment
  region                       = var.region
  domain_name                  = var.domain_name
  unit                         = var.unit
  pre_tag                      = var.pre_tag
  post_tag                     = var.post_tag
  alarm_topic_arn              = var.alarm_topic_arn
  vpc_id                       = var.vpc_id
  vpc_cidr                     = var.vpc_cidr
  private_subnet_ids           = var.private_subnet_ids
  public_subnet_ids            = var.public_subnet_ids
  management_security_group_id = var.management_security_group_id
  key_pair_name                = var.key_pair_name
  manager_count                = var.manager_count
  force_destroy                = var.force_destroy
}
