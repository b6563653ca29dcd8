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
  description = "VPC that the server gives access to."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: clients get a route to them."
  type        = string
  nullable    = false
}

variable "public_subnet_ids" {
  description = "Public subnets; the server stands in the first."
  type        = list(string)
  nullable    = false
}

variable "key_pair_name" {
  description = "Key pair for SSH; empty leaves Session Manager as the only way in."
  type        = string
}

variable "engine" {
  description = "access-server (appliance from the AWS Marketplace, with web pages) or community (OpenVPN and easy-rsa on Debian, profiles by command)."
  type        = string
}

variable "admin_cidrs" {
  description = "Networks that may reach the administration pages (943) and SSH (22)."
  type        = list(string)
  nullable    = false
}
