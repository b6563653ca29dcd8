output "rds_endpoint" {
  description = "Name of the database's host."
  value       = aws_db_instance.this.address
}

output "rds_port" {
  description = "Port of the database."
  value       = aws_db_instance.this.port
}

output "rds_database" {
  description = "Database that was made with the instance."
  value       = aws_db_instance.this.db_name
}

output "rds_username" {
  description = "Master user."
  value       = aws_db_instance.this.username
}

output "rds_password_secret_arn" {
  description = "Secret with the master user's password."
  value       = aws_secretsmanager_secret.password.arn

  depends_on = [aws_secretsmanager_secret_version.password]
}

output "rds_identifier" {
  description = "Identifier of the instance, as in the console and in alarms."
  value       = aws_db_instance.this.identifier
}

output "rds_arn" {
  description = "ARN of the instance."
  value       = aws_db_instance.this.arn
}

output "rds_resource_id" {
  description = "Resource id of the instance: policies for a login by IAM name it (rds-db:connect)."
  value       = aws_db_instance.this.resource_id
}

output "rds_security_group_id" {
  description = "Security group of the database."
  value       = aws_security_group.this.id
}

output "rds_final_snapshot_identifier" {
  description = "Name that the last snapshot gets when the database is deleted; null without one."
  value       = var.skip_final_snapshot ? null : aws_db_instance.this.final_snapshot_identifier
}

output "rds_log_group_names" {
  description = "Log groups of the database."
  value       = [for name in sort(keys(aws_cloudwatch_log_group.this)) : aws_cloudwatch_log_group.this[name].name]
}
