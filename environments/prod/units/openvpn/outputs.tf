# Rendered by ngp from environments/prod; do not edit: change environment.yaml or terraform.tfvars and run `ngp render prod`.

output "openvpn_connect_url" {
  description = "Page where users log in and download their profile; null with the community engine."
  value       = module.openvpn.openvpn_connect_url
}

output "openvpn_admin_url" {
  description = "Administration page; null with the community engine."
  value       = module.openvpn.openvpn_admin_url
}

output "openvpn_admin_user" {
  description = "Administrator; null with the community engine."
  value       = module.openvpn.openvpn_admin_user
}

output "openvpn_admin_password_secret_arn" {
  description = "Secret that holds the administrator's password; null with the community engine."
  value       = module.openvpn.openvpn_admin_password_secret_arn
}

output "openvpn_server_ip" {
  description = "Public address of the server."
  value       = module.openvpn.openvpn_server_ip
}

output "openvpn_profile_command" {
  description = "Command that prints the profile of a new client (put a name for NAME), sealed by a passphrase that it asks for: logs of Session Manager hold no key; null with access-server."
  value       = module.openvpn.openvpn_profile_command
}

output "security_group_id" {
  description = "Security group of the server: a source for internal services."
  value       = module.openvpn.security_group_id
}

output "openvpn_log_group_name" {
  description = "Log group of the server: boot, cloud-init and OpenVPN."
  value       = module.openvpn.openvpn_log_group_name
}
