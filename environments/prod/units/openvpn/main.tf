# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

ephemeral "aws_secretsmanager_random_password" "admin_password" {
  password_length    = 32
  exclude_characters = "\"'`\\$ "
}

module "openvpn" {
  source = "../../../../modules/openvpn"

  project               = var.project
  environment           = var.environment
  region                = var.region
  domain_name           = var.domain_name
  unit                  = var.unit
  pre_tag               = var.pre_tag
  post_tag              = var.post_tag
  log_retention_days    = var.log_retention_days
  alarm_topic_arn       = var.alarm_topic_arn
  vpc_id                = var.vpc_id
  vpc_cidr              = var.vpc_cidr
  public_subnet_ids     = var.public_subnet_ids
  key_pair_name         = var.key_pair_name
  engine                = var.engine
  admin_password        = ephemeral.aws_secretsmanager_random_password.admin_password.random_password
  admin_cidrs           = var.admin_cidrs
  backup_retention_days = var.backup_retention_days
}
