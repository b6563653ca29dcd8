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

variable "az_count" {
  description = "Availability zones, each with a public and a private subnet."
  type        = number
}

variable "nat_mode" {
  description = "Way out for the private subnets: none, single (one NAT gateway for all) or per_az (one in each zone)."
  type        = string
}

variable "private_endpoints" {
  description = "Make interface endpoints (endpoint_services), so that private nodes reach AWS without NAT. Each costs about 8 USD a month and zone."
  type        = bool
}

variable "endpoint_services" {
  description = "Services with an interface endpoint, such as ssm, ssmmessages, ecr.api; empty makes those for SSM, ECR, CloudWatch Logs and Secrets Manager, with nat_mode none also those that clusters need."
  type        = set(string)
}
