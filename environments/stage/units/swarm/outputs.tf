# Rendered by ngp from environments/stage; do not edit: change environment.yaml or terraform.tfvars and run `ngp render stage`.

output "swarm_url" {
  description = "Address that the cluster answers on."
  value       = module.swarm.swarm_url
}

output "swarm_domain" {
  description = "Domain of the cluster: services answer on names below it."
  value       = module.swarm.swarm_domain
}

output "swarm_manager_ips" {
  description = "Private addresses of the managers, by slot."
  value       = module.swarm.swarm_manager_ips
}

output "swarm_manager_ids" {
  description = "Instance ids of the managers, by slot."
  value       = module.swarm.swarm_manager_ids
}

output "swarm_worker_asg_names" {
  description = "Autoscaling groups of the workers, by pool."
  value       = module.swarm.swarm_worker_asg_names
}

output "swarm_lb_dns_name" {
  description = "DNS name of the load balancer."
  value       = module.swarm.swarm_lb_dns_name
}

output "swarm_lb_zone_id" {
  description = "Hosted zone of the load balancer's DNS name, for alias records."
  value       = module.swarm.swarm_lb_zone_id
}

output "swarm_lb_listener_arn" {
  description = "HTTPS listener of the load balancer."
  value       = module.swarm.swarm_lb_listener_arn
}

output "swarm_certificate_arn" {
  description = "Certificate of the domain and everything one label below it."
  value       = module.swarm.swarm_certificate_arn
}

output "swarm_stack_bucket" {
  description = "Bucket with the stack files that the managers deploy."
  value       = module.swarm.swarm_stack_bucket
}

output "swarm_stack_prefix" {
  description = "Prefix of the stack files: PREFIX + NAME/stack.yml is deployed as stack NAME."
  value       = module.swarm.swarm_stack_prefix
}

output "swarm_image_cache" {
  description = "Where images of Docker Hub are pulled from instead; empty is Docker Hub."
  value       = module.swarm.swarm_image_cache
}

output "swarm_network_name" {
  description = "Overlay network between the router and what it serves."
  value       = module.swarm.swarm_network_name
}

output "swarm_manager_role_name" {
  description = "IAM role of the managers."
  value       = module.swarm.swarm_manager_role_name
}

output "swarm_worker_role_name" {
  description = "IAM role of the workers."
  value       = module.swarm.swarm_worker_role_name
}

output "swarm_security_group_id" {
  description = "Security group of every node."
  value       = module.swarm.swarm_security_group_id
}

output "swarm_security_group_ids" {
  description = "The same as a list: databases and caches are wired to it (client_security_group_ids)."
  value       = module.swarm.swarm_security_group_ids
}

output "swarm_manager_security_group_id" {
  description = "Security group that the managers have besides."
  value       = module.swarm.swarm_manager_security_group_id
}

output "swarm_lb_security_group_id" {
  description = "Security group of the load balancer."
  value       = module.swarm.swarm_lb_security_group_id
}

output "swarm_log_group_name" {
  description = "Log group of the containers."
  value       = module.swarm.swarm_log_group_name
}

output "swarm_kms_key_arn" {
  description = "Key of the cluster's secrets, files and logs."
  value       = module.swarm.swarm_kms_key_arn
}

output "swarm_kms_alias_name" {
  description = "Alias of the key that the module made; null where kms_key_arn was given."
  value       = module.swarm.swarm_kms_alias_name
}

output "swarm_parameter_prefix" {
  description = "Prefix of the parameters (SSM) with the election and the join tokens."
  value       = module.swarm.swarm_parameter_prefix
}

output "swarm_efs_id" {
  description = "Shared file system; null without one."
  value       = module.swarm.swarm_efs_id
}
