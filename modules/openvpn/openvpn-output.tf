output "openvpn_connect_url" {
  description = "Page where users log in and download their profile; null with the community engine."
  value       = local.appliance ? "https://${local.fqdn}/" : null
}

output "openvpn_admin_url" {
  description = "Administration page; null with the community engine."
  value       = local.appliance ? "https://${local.fqdn}:943/admin" : null
}

output "openvpn_admin_user" {
  description = "Administrator; null with the community engine."
  value       = local.appliance ? var.admin_user : null
}

output "openvpn_admin_password_secret_arn" {
  description = "Secret that holds the administrator's password; null with the community engine."
  value       = one(aws_secretsmanager_secret.admin[*].arn)
}

output "openvpn_server_ip" {
  description = "Public address of the server."
  value       = aws_eip.this.public_ip
}

output "openvpn_profile_command" {
  description = "Command that prints the profile of a new client (put a name for NAME), sealed by a passphrase that it asks for: logs of Session Manager hold no key; null with access-server."
  value       = local.appliance ? null : "aws ssm start-session --region ${var.region} --target ${aws_instance.this.id} --document-name AWS-StartInteractiveCommand --parameters 'command=\"sudo ngp-vpn add NAME --sealed\"'"
}

output "security_group_id" {
  description = "Security group of the server: a source for internal services."
  value       = aws_security_group.this.id
}

output "openvpn_log_group_name" {
  description = "Log group of the server: boot, cloud-init and OpenVPN."
  value       = aws_cloudwatch_log_group.this.name
}
