terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

locals {
  unit = var.unit != "" ? var.unit : "docker-cleanup"
  name = "${var.pre_tag}-${local.unit}-${var.post_tag}"

  own_tags = {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
    Name        = local.name
  }
  # An object may have ten tags: the module's own, and of yours as many as there is room for, by their names.
  more_tags = [for key in keys(var.tags) : key if !contains(keys(local.own_tags), key)]
  tags      = merge({ for key in slice(local.more_tags, 0, min(length(local.more_tags), 10 - length(local.own_tags))) : key => var.tags[key] }, local.own_tags)

  # Docker Hub counts anonymous pulls by address, and the cluster has one.
  images = { for name, image in { image = var.image } : name => var.swarm_image_cache != "" && !can(regex("^[^/]+[.:][^/]*/", image)) ? "${var.swarm_image_cache}/${strcontains(image, "/") ? "" : "library/"}${image}" : image }
}

# What the cluster's leader finds and deploys.
resource "aws_s3_object" "stack" {
  bucket       = var.swarm_stack_bucket
  key          = "${var.swarm_stack_prefix}${local.unit}/stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/cleanup.yml.tftpl", {
    script         = file("${path.module}/files/cleanup.sh")
    image          = local.images["image"]
    keep_hours     = var.keep_hours
    interval_hours = var.interval_hours
    all_images     = var.all_images
    volumes        = var.volumes
    constraints    = var.placement == "any" ? [] : ["node.role == ${var.placement}"]
  })
  tags = local.tags
}
