output "app_id" {
  description = "The app"
  value       = terraform_data.home.id
}
