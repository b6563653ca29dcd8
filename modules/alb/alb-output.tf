output "alb_url" {
  description = "Address that the application answers on."
  value       = "https://${local.host}"
}

output "alb_public_url" {
  description = "The same where it can be asked from outside; null for an internal one."
  value       = var.internal ? null : "https://${local.host}"
}

output "alb_host" {
  description = "Name of the application."
  value       = aws_route53_record.this.name
}

output "alb_dns_name" {
  description = "DNS name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "alb_zone_id" {
  description = "Hosted zone of that name, for alias records."
  value       = aws_lb.this.zone_id
}

output "alb_arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "alb_listener_arn" {
  description = "HTTPS listener, for more rules."
  value       = aws_lb_listener.https.arn
}

output "alb_target_group_arn" {
  description = "Target group: autoscaling groups and instances of others join it."
  value       = aws_lb_target_group.this.arn
}

output "alb_security_group_id" {
  description = "Security group of the load balancer: the application's lets it in."
  value       = aws_security_group.this.id
}

output "alb_certificate_arn" {
  description = "Certificate of the application's name."
  value       = aws_lb_listener.https.certificate_arn
}

output "alb_logs_bucket" {
  description = "Bucket with the access logs; null without them."
  value       = one(aws_s3_bucket.logs[*].id)
}
