output "elasticache_endpoint" {
  description = "Name of the primary's host (the Redis hostname); it stays when another node takes over."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "elasticache_reader_endpoint" {
  description = "Name that leads to the copies, for reading."
  value       = aws_elasticache_replication_group.this.reader_endpoint_address
}

output "elasticache_port" {
  description = "Port of the cache; it speaks TLS only."
  value       = var.port
}

output "elasticache_users" {
  description = "Users' ids, with which they log in, by name; empty where authentication is network."
  value       = { for name, user in aws_elasticache_user.this : name => user.user_id }
}

output "elasticache_connect_policy_arn" {
  description = "IAM policy for the roles of those who log in; null where authentication is network."
  value       = one(aws_iam_policy.connect[*].arn)
}

output "elasticache_replication_group_id" {
  description = "Id of the replication group, which tokens for a login name."
  value       = aws_elasticache_replication_group.this.id
}

output "elasticache_security_group_id" {
  description = "Security group of the cache."
  value       = aws_security_group.this.id
}

output "elasticache_final_snapshot_name" {
  description = "Name that the last snapshot gets when the cache is deleted; null without one."
  value       = var.skip_final_snapshot ? null : aws_elasticache_replication_group.this.final_snapshot_identifier
}

output "elasticache_log_group_names" {
  description = "Log groups of the cache: what the engine says, and slow commands."
  value       = [for name in sort(keys(aws_cloudwatch_log_group.this)) : aws_cloudwatch_log_group.this[name].name]
}
