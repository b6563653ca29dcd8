# Rendered by ngp from environments/stage; do not edit: change environment.yaml or terraform.tfvars and run `ngp render stage`.

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

variable "alarm_topic_arn" {
  description = "SNS topic for alarms; empty uses none of another unit's."
  type        = string
}

variable "repositories" {
  description = "Repositories by name below the namespace. keep_tagged counts images; immutable tags cannot be moved to another image."
  type = map(object({
    immutable     = optional(bool, true)
    scan_on_push  = optional(bool, true)
    untagged_days = optional(number, 7)
    keep_tagged   = optional(number, 50)
  }))
}
