# Rendered by ngp from environments/stage; do not edit: change environment.yaml or terraform.tfvars and run `ngp render stage`.

output "registry_url" {
  description = "Address of the registry."
  value       = module.docker-registry.registry_url
}

output "registry_host" {
  description = "Name of the registry, as images begin with it."
  value       = module.docker-registry.registry_host
}

output "registry_user" {
  description = "User that pushes and pulls."
  value       = module.docker-registry.registry_user
}

output "registry_password_secret_arn" {
  description = "Secret with the user's password."
  value       = module.docker-registry.registry_password_secret_arn
}

output "registry_bucket" {
  description = "Bucket with the images."
  value       = module.docker-registry.registry_bucket
}

output "registry_root_directory" {
  description = "Folder of the images in the bucket."
  value       = module.docker-registry.registry_root_directory
}

output "registry_stack" {
  description = "Name of the registry's stack in the cluster."
  value       = module.docker-registry.registry_stack
}
