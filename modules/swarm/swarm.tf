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
  for_each = var.ami_id == "" ? local.architectures : toset([])

  name = "/aws/service/debian/release/${var.debian_release}/latest/${each.key}"
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
  backup_name = length(local.name["EFS"]) <= 50 ? local.name["EFS"] : "${substr(local.name["EFS"], 0, 41)}-${substr(sha1(local.name["EFS"]), 0, 8)}"
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
  kms_key_arn      = var.kms_key_arn != "" ? var.kms_key_arn : one(aws_kms_key.cluster[*].arn)
  log_group        = "/${var.project}/${var.environment}/${local.unit}"
  parameter_root   = "/ngp/${var.project}/${var.environment}/${local.unit}/swarm"
  parameter_prefix = "${local.parameter_root}/${terraform_data.generation.id}"
  stack_prefix     = "stacks/"
  boundary_arn     = var.permissions_boundary_arn != "" ? var.permissions_boundary_arn : null
  alarm_actions    = compact([var.alarm_topic_arn])
  metric_namespace = "ngp/swarm"
  metric           = "${var.pre_tag}-${local.unit}-${var.post_tag}-kept"

  # An image is of one architecture, and so is an instance type: Graviton's say so by a g behind the generation (t4g, m7gd; a1).
  types         = concat([var.manager_instance_type], [for pool in values(var.worker_pools) : pool.instance_type])
  architecture  = { for type in distinct(local.types) : type => can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type)) ? "arm64" : "amd64" }
  architectures = toset(values(local.architecture))
  ami_ids       = { for type, architecture in local.architecture : type => var.ami_id != "" ? var.ami_id : data.aws_ssm_parameter.debian[architecture].insecure_value }

  # Docker Hub counts anonymous pulls by address, and the nodes have one.
  router_image = var.image_cache != "" && !can(regex("^[^/]+[.:][^/]*/", var.router_image)) ? "${var.image_cache}/${strcontains(var.router_image, "/") ? "" : "library/"}${var.router_image}" : var.router_image

  manager_slots = toset([for slot in range(1, var.manager_count + 1) : tostring(slot)])
}

# Said with every plan, and refused nowhere: two zones cost less, and a cluster that may stand still for a while needs no third.
check "zones" {
  assert {
    condition     = var.manager_count == 1 || length(var.private_subnet_ids) >= 3
    error_message = "The managers of ${local.unit} stand in ${length(var.private_subnet_ids)} zone(s): one zone holds so many of the ${var.manager_count} that without it the quorum is lost, and nothing can be deployed or moved. Three zones (az_count = 3 of network) survive the loss of any."
  }
}
