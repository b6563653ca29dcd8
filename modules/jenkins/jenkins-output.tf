output "jenkins_url" {
  description = "Address of Jenkins."
  value       = "https://${local.host}"
}

output "jenkins_host" {
  description = "Name of Jenkins."
  value       = local.host
}

output "jenkins_efs_id" {
  description = "File system with the home."
  value       = aws_efs_file_system.home.id
}

output "jenkins_published_port" {
  description = "Port of every node that leads to Jenkins; 0 where none is published."
  value       = var.published_port
}

output "jenkins_stack" {
  description = "Name of Jenkins's stack in the cluster."
  value       = local.unit
}
