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

locals {
  unit = var.unit != "" ? var.unit : "dcos"
  name = { for thing in ["Bootstrap", "Master", "Agent", "PublicAgent", "Files", "Shared", "Exhibitor", "Inner", "Public"] : thing => "${var.pre_tag}-${local.unit}-${thing}-${var.post_tag}" }

  # Load balancers may have 32 characters and not begin with internal-, buckets neither capitals nor a dash at a seam. A unit of more
  # than 8 characters has a digest of the whole: cut, two units that begin alike would meet in one name. Others keep their name.
  lb_short = "${startswith(lower(var.pre_tag), "internal-") ? "x" : ""}${var.pre_tag}-${trim(local.unit, "-")}"
  lb_full  = "${var.pre_tag}-${local.unit}-${var.post_tag}"
  lb_name = { for kind in ["M", "N", "P"] : kind => (
    length(local.unit) <= 8 ? "${local.lb_short}-${kind}-${var.post_tag}" :
    "lb-${trim(substr(local.lb_full, 0, 18), "-")}-${kind}-${substr(sha1(local.lb_full), 0, 8)}"
  ) }
  bucket_name = lower("${var.pre_tag}-${trim(substr(local.unit, 0, 16), "-")}-${var.post_tag}-${substr(sha1("${var.project}/${var.environment}/${local.unit}/${local.account_id}/${var.region}"), 0, 8)}")

  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  account_id    = data.aws_caller_identity.current.account_id
  partition     = data.aws_partition.current.partition
  cluster_name  = var.cluster_name != "" ? var.cluster_name : "${var.pre_tag}-${local.unit}-${var.post_tag}"
  hosts         = { for service in setunion(var.services, ["dcos"]) : service => "${service}-${lower(var.pre_tag)}.${var.domain_name}" }
  masters       = "dcos-masters-${lower(var.pre_tag)}.${var.domain_name}" # what nodes write down: it outlives its load balancer
  kms_key_arn   = var.kms_key_arn != "" ? var.kms_key_arn : null
  boundary_arn  = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions = compact([var.alarm_topic_arn])
  log_group     = "/${var.project}/${var.environment}/${local.unit}"
  is_shared     = var.exhibitor_backend == "shared_filesystem"
}
