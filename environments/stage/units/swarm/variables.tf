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
