output "snapshot_bucket" {
  description = "Bucket with the snapshots."
  value       = aws_s3_bucket.snapshots.id
}

output "snapshot_prefix" {
  description = "Beginning of the snapshots' keys: PREFIX + YYYY/MM/DD/HHMMSS.json, beside each its manifest."
  value       = local.prefix
}

output "snapshot_alarm_name" {
  description = "Alarm that is raised when snapshots are missing."
  value       = aws_cloudwatch_metric_alarm.missing.alarm_name
}

output "snapshot_stack" {
  description = "Name of the stack on the Swarm cluster; its service is NAME_keeper. Null for Marathon."
  value       = var.runtime == "swarm" ? local.unit : null
}

output "snapshot_function_name" {
  description = "Function that saves and restores; null for Swarm."
  value       = one(aws_lambda_function.snapshot[*].function_name)
}

output "snapshot_restore_url" {
  description = "Where a signed POST restores a snapshot; null for Swarm."
  value       = one([for api in aws_apigatewayv2_api.restore : "${api.api_endpoint}/restore"])
}

output "snapshot_restore_policy_arn" {
  description = "Policy of those who may restore by that address; null for Swarm."
  value       = one(aws_iam_policy.restore[*].arn)
}

output "snapshot_failed_queue_url" {
  description = "Queue with the saves that failed three times; null for Swarm."
  value       = one(aws_sqs_queue.failed[*].url)
}
