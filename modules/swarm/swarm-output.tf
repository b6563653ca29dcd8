output "swarm_url" {
  description = "Address that the cluster answers on."
  value       = "https://${local.domain}"
}

output "swarm_domain" {
  description = "Domain of the cluster: services answer on names below it."
  value       = local.domain
}

output "swarm_manager_ips" {
  description = "Private addresses of the managers, by slot."
  value       = [for slot in sort(local.manager_slots) : aws_instance.manager[slot].private_ip]
}

output "swarm_manager_ids" {
  description = "Instance ids of the managers, by slot."
  value       = [for slot in sort(local.manager_slots) : aws_instance.manager[slot].id]
}

output "swarm_worker_asg_names" {
  description = "Autoscaling groups of the workers, by pool."
  value       = { for name, group in aws_autoscaling_group.worker : name => group.name }
}

output "swarm_lb_dns_name" {
  description = "DNS name of the load balancer."
  value       = aws_lb.cluster.dns_name
}

output "swarm_lb_zone_id" {
  description = "Hosted zone of the load balancer's DNS name, for alias records."
  value       = aws_lb.cluster.zone_id
}

output "swarm_lb_listener_arn" {
  description = "HTTPS listener of the load balancer."
  value       = aws_lb_listener.https.arn
}

output "swarm_certificate_arn" {
  description = "Certificate of the domain and everything one label below it."
  value       = aws_acm_certificate_validation.cluster.certificate_arn
}

output "swarm_stack_bucket" {
  description = "Bucket with the stack files that the managers deploy."
  value       = aws_s3_bucket.files.id
}

output "swarm_stack_prefix" {
  description = "Prefix of the stack files: PREFIX + NAME/stack.yml is deployed as stack NAME."
  value       = local.stack_prefix

  # A dependant's objects are to be encrypted like ours.
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.files]
}

output "swarm_image_cache" {
  description = "Where images of Docker Hub are pulled from instead; empty is Docker Hub."
  value       = var.image_cache
}

output "swarm_network_name" {
  description = "Overlay network between the router and what it serves."
  value       = "proxy"
}

output "swarm_manager_role_name" {
  description = "IAM role of the managers."
  value       = aws_iam_role.manager.name
}

output "swarm_worker_role_name" {
  description = "IAM role of the workers."
  value       = aws_iam_role.worker.name
}

output "swarm_security_group_id" {
  description = "Security group of every node."
  value       = aws_security_group.node.id
}

output "swarm_security_group_ids" {
  description = "The same as a list: databases and caches are wired to it (client_security_group_ids)."
  value       = [aws_security_group.node.id]
}

output "swarm_manager_security_group_id" {
  description = "Security group that the managers have besides."
  value       = aws_security_group.manager.id
}

output "swarm_lb_security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.lb.id
}

output "swarm_log_group_name" {
  description = "Log group of the containers."
  value       = aws_cloudwatch_log_group.cluster.name
}

output "swarm_kms_key_arn" {
  description = "Key of the cluster's secrets, files and logs."
  value       = local.kms_key_arn
}

output "swarm_kms_alias_name" {
  description = "Alias of the key that the module made; null where kms_key_arn was given."
  value       = one(aws_kms_alias.cluster[*].name)
}

output "swarm_parameter_prefix" {
  description = "Prefix of the parameters (SSM) with the election and the join tokens."
  value       = local.parameter_prefix
}

output "swarm_efs_id" {
  description = "Shared file system; null without one."
  value       = one(aws_efs_file_system.shared[*].id)
}
