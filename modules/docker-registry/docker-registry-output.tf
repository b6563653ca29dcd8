output "registry_url" {
  description = "Address of the registry."
  value       = "https://${local.host}"
}

output "registry_host" {
  description = "Name of the registry, as images begin with it."
  value       = local.host
}

output "registry_user" {
  description = "User that pushes and pulls."
  value       = var.username
}

output "registry_password_secret_arn" {
  description = "Secret with the user's password."
  value       = aws_secretsmanager_secret.password.arn
}

output "registry_bucket" {
  description = "Bucket with the images."
  value       = aws_s3_bucket.images.id
}

output "registry_root_directory" {
  description = "Folder of the images in the bucket."
  value       = var.root_directory
}

output "registry_stack" {
  description = "Name of the registry's stack in the cluster."
  value       = local.unit
}
