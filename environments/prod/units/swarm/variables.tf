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

variable "alarm_topic_arn" {
  description = "SNS topic for alarms; empty uses none of another unit's."
  type        = string
}

variable "vpc_id" {
  description = "VPC that the cluster lives in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Address range of the VPC: the router trusts the load balancer's headers only from it."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Private subnets for managers and workers; they need a way out (NAT) to fetch packages and images."
  type        = list(string)
  nullable    = false
}

variable "public_subnet_ids" {
  description = "Public subnets for the load balancer, in two availability zones at least."
  type        = list(string)
  nullable    = false
}

variable "management_security_group_id" {
  description = "Security group that may reach SSH of the nodes where ssh_from_management is set."
  type        = string
}

variable "key_pair_name" {
  description = "SSH key pair of the nodes; empty is none (Session Manager works without)."
  type        = string
}

variable "manager_count" {
  description = "Managers: 1 (none may fail), 3 (one may) or 5 (two may)."
  type        = number
}

variable "worker_pools" {
  description = "Pools of workers by name. Sizes count instances, volume_size is in GiB; label is the node label `pool` that services are placed by (default: the pool's name). With a cpu_target, the group keeps that average CPU use in percent between min_size and max_size, beginning with min_size; 0 keeps desired_size."
  type = map(object({
    instance_type = optional(string, "t3.medium")
    min_size      = optional(number, 1)
    max_size      = optional(number, 4)
    desired_size  = optional(number, 2)
    volume_size   = optional(number, 50)
    label         = optional(string, "")
    cpu_target    = optional(number, 0)
  }))
}

variable "lb_deletion_protection" {
  description = "Keep AWS from deleting the load balancer."
  type        = bool
}
