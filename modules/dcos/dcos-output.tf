output "dcos_url" {
  description = "Address of DC/OS, for its clients."
  value       = "https://${local.hosts["dcos"]}"
}

output "jenkins_url" {
  description = "Address of Jenkins on the private agents; null where services does not hold it."
  value       = contains(var.services, "jenkins") ? "https://${local.hosts["jenkins"]}" : null
}

output "tyk_url" {
  description = "Address of the gateway on the public agents; null where services does not hold it."
  value       = contains(var.services, "tyk") ? "https://${local.hosts["tyk"]}" : null
}

output "bootstrap_ip" {
  description = "Address of the bootstrap node, which serves the installation on port 9999."
  value       = aws_network_interface.bootstrap.private_ip
}

output "master_count" {
  description = "Masters."
  value       = var.master_count
}

output "agent_count" {
  description = "Private agents that are wanted."
  value       = aws_autoscaling_group.node["agent"].desired_capacity
}

output "agent_ips" {
  description = "Addresses of the private agents that ran when this was read; the group knows who runs now."
  value       = sort(data.aws_instances.agent["agent"].private_ips)
}

output "public_agent_ids" {
  description = "Instance ids of the public agents that ran when this was read; the group knows who runs now."
  value       = sort(data.aws_instances.agent["public_agent"].ids)
}

output "s3_bucket_name" {
  description = "Bucket of Exhibitor, of a registry (docker-registry/) and of snapshots (snapshots/)."
  value       = aws_s3_bucket.files.id
}

output "master_asg_name" {
  description = "Autoscaling group of the masters."
  value       = aws_autoscaling_group.node["master"].name
}

output "agent_asg_name" {
  description = "Autoscaling group of the private agents: it tells their addresses, which the old platform wrote into a file."
  value       = aws_autoscaling_group.node["agent"].name
}

output "public_agent_asg_name" {
  description = "Autoscaling group of the public agents."
  value       = aws_autoscaling_group.node["public_agent"].name
}

output "private_security_group_id" {
  description = "Security group of masters and agents."
  value       = aws_security_group.this["cluster"].id
}

output "dcos_master_security_group_id" {
  description = "Security group that the masters have besides."
  value       = aws_security_group.this["master"].id
}

output "dcos_agent_security_group_id" {
  description = "Security group that the private agents have besides."
  value       = aws_security_group.this["agent"].id
}

output "dcos_public_agent_security_group_id" {
  description = "Security group that the public agents have besides."
  value       = aws_security_group.this["public_agent"].id
}

output "private_subnet_id" {
  description = "First private subnet of the nodes."
  value       = var.private_subnet_ids[0]
}

output "private_subnet_az" {
  description = "Zone of that subnet; null where it is not known."
  value       = try(var.availability_zones[0], null)
}

output "nat_gateway_public_ip" {
  description = "First address that the nodes show to the internet; null where it is not known."
  value       = try(var.nat_public_ips[0], null)
}

output "elb_logstash_id" {
  description = "Load balancer that leads to Logstash on the private agents."
  value       = aws_lb.inner.arn
}

output "logstash_endpoint" {
  description = "Host and port of Logstash, for Beats of the VPC."
  value       = "${local.masters}:5044"
}

output "dcos_master_address" {
  description = "Name by which nodes reach the masters: 80, 2181, 5050, 8080 and 8181."
  value       = local.masters
}

output "dcos_efs_id" {
  description = "File system with the home of Jenkins, at /var/jenkins_nfs of the private agents."
  value       = aws_efs_file_system.shared.id
}

output "dcos_log_group_name" {
  description = "Log group for containers that log by Docker's awslogs driver."
  value       = aws_cloudwatch_log_group.this.name
}
