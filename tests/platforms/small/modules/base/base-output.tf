output "vpc_id" {
  description = "The network"
  value       = terraform_data.vpc.id
}

output "vpc_password" {
  description = "A secret"
  value       = "hunter2"
  sensitive   = true
}
