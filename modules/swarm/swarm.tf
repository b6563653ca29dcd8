terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_route53_zone" "platform" {
  name         = var.domain_name
  private_zone = false
}

data "aws_ssm_parameter" "debian" {
  count = var.ami_id == "" ? 1 : 0

  name = "/aws/service/debian/release/12/latest/amd64"
}

# Its id is new with every life of the cluster. Nodes write their election and join tokens below it, so that a region
# that is destroyed and built again does not find the tokens of the dead cluster and wait for it for ever.
resource "terraform_data" "generation" {
  triggers_replace = var.generation
}

locals {
  unit = var.unit != "" ? var.unit : "swarm"
  name = { for thing in ["Manager", "Worker", "Node", "LB", "EFS", "Backup", "Key", "Files"] : thing => "${var.pre_tag}-${local.unit}-${thing}-${var.post_tag}" }

  # Load balancers may have 32 characters (and not begin with internal-), backup plans 50, buckets neither capitals nor a dash at a
  # seam. A load balancer's name that is cut gets a checksum: two units of one account must not take each other's.
  dashed      = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  lb_name     = length(local.dashed) <= 32 && !startswith(local.dashed, "internal-") ? local.dashed : "lb-${trim(substr(local.dashed, 0, 20), "-")}-${substr(sha1(local.dashed), 0, 8)}"
  backup_name = "${substr("${var.pre_tag}-${local.unit}", 0, 39)}-EFS-${var.post_tag}"
  bucket_name = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(sha1("${var.project}/${var.environment}/${local.unit}/${local.account_id}/${var.region}"), 0, 8)}")

  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  }
  tags = merge(var.tags, local.own_tags)

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  domain           = var.subdomain == "" ? var.domain_name : "${var.subdomain}.${var.domain_name}"
  ami_id           = var.ami_id != "" ? var.ami_id : one(data.aws_ssm_parameter.debian[*].insecure_value)
  kms_key_arn      = var.kms_key_arn != "" ? var.kms_key_arn : one(aws_kms_key.cluster[*].arn)
  log_group        = "/${var.project}/${var.environment}/${local.unit}"
  parameter_root   = "/ngp/${var.project}/${var.environment}/${local.unit}/swarm"
  parameter_prefix = "${local.parameter_root}/${terraform_data.generation.id}"
  stack_prefix     = "stacks/"
  boundary_arn     = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions    = compact([var.alarm_topic_arn])
  metric_namespace = "ngp/swarm"
  metric           = "${var.pre_tag}-${local.unit}-${var.post_tag}-kept"

  manager_slots = toset([for slot in range(1, var.manager_count + 1) : tostring(slot)])
}
