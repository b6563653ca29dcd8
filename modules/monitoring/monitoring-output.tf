output "prometheus_url" {
  description = "Prometheus that scrapes often and keeps days."
  value       = "http://${local.fqdn.recent}:9090"
}

output "prometheus_longterm_url" {
  description = "Prometheus that keeps the series with the label longterm for a year and more."
  value       = "http://${local.fqdn.longterm}:9090"
}

output "alertmanager_urls" {
  description = "Both members of Alertmanager's cluster: alerts are sent to each of them."
  value       = [for name in ["recent", "longterm"] : "http://${local.fqdn[name]}:9093"]
}

output "grafana_url" {
  description = "Grafana; null without it."
  value       = local.grafana ? local.grafana_url : null
}

output "grafana_password_secret_arn" {
  description = "Secret that holds the password of Grafana's user admin; null without it."
  value       = one(aws_secretsmanager_secret.grafana[*].arn)
}

output "monitoring_bucket" {
  description = "Bucket of the configuration; below checks/ anybody with the right may put more web checks (*.json, Prometheus' file_sd format)."
  value       = aws_s3_bucket.files.id
}

output "monitoring_security_group_id" {
  description = "Security group of the servers: let it in where exporters listen."
  value       = aws_security_group.server.id
}

output "monitoring_role_name" {
  description = "Role of the servers."
  value       = aws_iam_role.server.name
}

output "monitoring_instance_ids" {
  description = "Servers, by name: recent and longterm."
  value       = { for name, server in aws_instance.server : name => server.id }
}
