# Rendered by ngp from environments/stage; do not edit: change environment.yaml or terraform.tfvars and run `ngp render stage`.

output "pre_tag" {
  description = "Prefix of all resource names."
  value       = module.network.pre_tag
}

output "post_tag" {
  description = "Suffix of all resource names."
  value       = module.network.post_tag
}

output "tag_service" {
  description = "Tag Service."
  value       = module.network.tag_service
}

output "tag_environment" {
  description = "Tag Environment."
  value       = module.network.tag_environment
}

output "tag_version" {
  description = "Tag Version."
  value       = module.network.tag_version
}

output "aws_region" {
  description = "AWS region."
  value       = module.network.aws_region
}

output "vpc_id" {
  description = "VPC, made here or existing."
  value       = module.network.vpc_id
}

output "vpc_cidr" {
  description = "Addresses of the VPC."
  value       = module.network.vpc_cidr
}

output "management_subnet_id" {
  description = "Subnet of management nodes."
  value       = module.network.management_subnet_id
}

output "management_security_group_id" {
  description = "Security group of management nodes."
  value       = module.network.management_security_group_id
}

output "key_pair_name" {
  description = "Key pair for SSH; null where no public_key was given."
  value       = module.network.key_pair_name
}

output "internet_gateway_id" {
  description = "Internet gateway of the VPC."
  value       = module.network.internet_gateway_id
}

output "availability_zones" {
  description = "Zones of the subnets made here, in order; empty with an existing VPC."
  value       = module.network.availability_zones
}

output "public_subnet_ids" {
  description = "Public subnets, one for each zone."
  value       = module.network.public_subnet_ids
}

output "private_subnet_ids" {
  description = "Private subnets, one for each zone."
  value       = module.network.private_subnet_ids
}

output "management_route_table_id" {
  description = "Route table of the management subnet; null with an existing VPC."
  value       = module.network.management_route_table_id
}

output "public_route_table_id" {
  description = "Route table of the public subnets; null with an existing VPC."
  value       = module.network.public_route_table_id
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets."
  value       = module.network.private_route_table_ids
}

output "nat_public_ips" {
  description = "Addresses that private nodes show to the internet; empty without NAT or with an existing VPC."
  value       = module.network.nat_public_ips
}

output "alarm_topic_arn" {
  description = "SNS topic for alarms."
  value       = module.network.alarm_topic_arn
}

output "manager_instance_id" {
  description = "Manager node; null without one."
  value       = module.network.manager_instance_id
}

output "manager_public_ip" {
  description = "Public address of the manager; null without one."
  value       = module.network.manager_public_ip
}

output "manager_host" {
  description = "Name of the manager; null without one or without its record."
  value       = module.network.manager_host
}
