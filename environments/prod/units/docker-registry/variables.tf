# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

variable "project" {
  description = "Project that everything here belongs to (tag Project)."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Environment, such as dev, stage or prod (tag Environment)."
  type        = string
  nullable    = false
}

variable "region" {
  description = "AWS region, such as eu-central-1."
  type        = string
  nullable    = false
}

variable "domain_name" {
  description = "Domain of the platform; its public hosted zone exists already and is looked up by this name."
  type        = string
  nullable    = false
}

variable "unit" {
  description = "Name of the unit (tags Cluster and ngp:unit, part of names); empty is the module's own name."
  type        = string
}

variable "pre_tag" {
  description = "Prefix of all resource names, such as shop in shop-vpc-dev."
  type        = string
  nullable    = false
}

variable "post_tag" {
  description = "Suffix of all resource names, such as dev in shop-vpc-dev."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that log groups keep their events."
  type        = number
}

variable "swarm_domain" {
  description = "Domain of the cluster; the registry answers on a name below it, which the cluster's certificate covers."
  type        = string
  nullable    = false
}

variable "swarm_lb_dns_name" {
  description = "DNS name of the cluster's load balancer."
  type        = string
  nullable    = false
}

variable "swarm_lb_zone_id" {
  description = "Hosted zone of the load balancer's DNS name."
  type        = string
  nullable    = false
}

variable "swarm_stack_bucket" {
  description = "Bucket with the stack files that the cluster deploys."
  type        = string
  nullable    = false
}

variable "swarm_image_cache" {
  description = "Where the cluster pulls images of Docker Hub from; empty is Docker Hub."
  type        = string
}

variable "swarm_stack_prefix" {
  description = "Prefix of the stack files in that bucket."
  type        = string
  nullable    = false
}

variable "swarm_network_name" {
  description = "Overlay network that the cluster's router reaches services by."
  type        = string
  nullable    = false
}

variable "swarm_manager_role_name" {
  description = "IAM role of the cluster's managers."
  type        = string
  nullable    = false
}

variable "swarm_kms_key_arn" {
  description = "The cluster's key: encrypts images and secrets where kms_key_arn is empty."
  type        = string
  nullable    = false
}
