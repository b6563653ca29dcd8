# Names that every later module may ask for (the old terraform.out).

output "pre_tag" {
  description = "Prefix of all resource names."
  value       = var.pre_tag
}

output "post_tag" {
  description = "Suffix of all resource names."
  value       = var.post_tag
}

output "tag_service" {
  description = "Tag Service."
  value       = var.service
}

output "tag_environment" {
  description = "Tag Environment."
  value       = var.environment
}

output "tag_version" {
  description = "Tag Version."
  value       = var.version_tag
}

output "aws_region" {
  description = "AWS region."
  value       = var.region
}

output "vpc_id" {
  description = "VPC, made here or existing."
  value       = local.vpc_id
}

output "vpc_cidr" {
  description = "Addresses of the VPC."
  value       = local.vpc_cidr
}

output "management_subnet_id" {
  description = "Subnet of management nodes."
  value       = local.management_subnet_id
}

output "management_security_group_id" {
  description = "Security group of management nodes."
  value       = aws_security_group.management.id
}

output "key_pair_name" {
  description = "Key pair for SSH; null where no public_key was given."
  value       = one(aws_key_pair.this[*].key_name)
}

output "internet_gateway_id" {
  description = "Internet gateway of the VPC."
  value       = local.internet_gateway_id
}

# The rest.

output "availability_zones" {
  description = "Zones of the subnets made here, in order; empty with an existing VPC."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Public subnets, one for each zone."
  value       = local.make_vpc ? aws_subnet.public[*].id : var.existing_public_subnet_ids
}

output "private_subnet_ids" {
  description = "Private subnets, one for each zone."
  value       = local.make_vpc ? aws_subnet.private[*].id : var.existing_private_subnet_ids
}

output "management_route_table_id" {
  description = "Route table of the management subnet; null with an existing VPC."
  value       = one(aws_route_table.management[*].id)
}

output "public_route_table_id" {
  description = "Route table of the public subnets; null with an existing VPC."
  value       = one(aws_route_table.public[*].id)
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets."
  value       = local.make_vpc ? aws_route_table.private[*].id : var.existing_private_route_table_ids
}

output "nat_public_ips" {
  description = "Addresses that private nodes show to the internet; empty without NAT or with an existing VPC."
  value       = aws_eip.nat[*].public_ip
}

output "alarm_topic_arn" {
  description = "SNS topic for alarms."
  value       = local.alarm_topic_arn
}

output "manager_instance_id" {
  description = "Manager node; null without one."
  value       = one(aws_instance.manager[*].id)
}

output "manager_public_ip" {
  description = "Public address of the manager; null without one."
  value       = one(aws_eip.manager[*].public_ip)
}

output "manager_host" {
  description = "Name of the manager; null without one or without its record."
  value       = one(aws_route53_record.manager[*].name)
}
