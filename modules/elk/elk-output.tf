output "elk_endpoint" {
  description = "Address of the domain (its REST interface); requests are signed by IAM."
  value       = "https://${local.dashboards_host != "" ? local.dashboards_host : aws_opensearch_domain.this.endpoint}"
}

output "elk_domain_endpoint" {
  description = "Host of the domain by its name of AWS."
  value       = aws_opensearch_domain.this.endpoint
}

output "dashboards_url" {
  description = "Address of the dashboards (the Kibana URL)."
  value       = "https://${local.dashboards_host != "" ? local.dashboards_host : aws_opensearch_domain.this.endpoint}/_dashboards"
}

output "logstash_uri" {
  description = "Host and port that Filebeat sends to (LOGSTASH_URI); null without collectors."
  value       = var.collectors > 0 ? "${local.collector_host}:5044" : null
}

output "elk_logstash_tls" {
  description = "Whether agents speak TLS to logstash_uri."
  value       = var.collector_tls
}

output "elk_domain_name" {
  description = "Name of the domain at OpenSearch Service."
  value       = aws_opensearch_domain.this.domain_name
}

output "elk_domain_arn" {
  description = "ARN of the domain: what policies of agents name."
  value       = aws_opensearch_domain.this.arn
}

output "elk_master_role_arn" {
  description = "IAM role that is the domain's master."
  value       = aws_iam_role.master.arn
}

output "elk_index_prefix" {
  description = "Beginning of the indices' names."
  value       = var.index_prefix
}

output "elk_snapshot_bucket" {
  description = "Bucket with the snapshots that outlive the domain."
  value       = aws_s3_bucket.snapshots.id
}

output "elk_snapshot_role_arn" {
  description = "IAM role by which the domain reaches that bucket."
  value       = aws_iam_role.snapshots.arn
}

output "elk_security_group_id" {
  description = "Security group of the domain; null where it is public."
  value       = one(aws_security_group.domain[*].id)
}

output "elk_collector_security_group_id" {
  description = "Security group of the collectors; null without any."
  value       = one(aws_security_group.collector[*].id)
}

output "elk_collector_group_name" {
  description = "Autoscaling group of the collectors; null without any."
  value       = one(aws_autoscaling_group.collector[*].name)
}

output "elk_settings" {
  description = "What files/settle.py needs to know, as JSON: for whoever settles the domain by hand."
  value       = jsonencode(local.domain_settings)
}
